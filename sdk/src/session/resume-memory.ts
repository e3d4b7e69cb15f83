import type { ResumeToken } from '../protocol/index.ts';

/** Where the one-time token for the next resume is kept. The seam for keeping it beyond a reload. */
export interface ResumeStore {
  load(): ResumeToken | undefined;
  save(token: ResumeToken): void;
  forget(): void;
}

/** Keeps the token as long as the page lives. */
export function resumeMemory(): ResumeStore {
  let held: ResumeToken | undefined;
  return {
    load: () => held,
    save: (token) => {
      held = token;
    },
    forget: () => {
      held = undefined;
    },
  };
}
