import { LIMITS } from '@passerby/sdk';

/** State that the next page in this tab cannot know otherwise. */
export interface Remembered {
  /** True if the panel was open. */
  readonly isOpen: boolean;
  /** Text of the composer. */
  readonly draft: string;
}

/** Owner of a draft: the chats of one page are distinguished as in the SDK. */
interface Owner {
  readonly site: string;
  readonly scope: string;
}

export function remember(owner: Owner, { isOpen, draft }: Remembered): void {
  withStorage((storage) =>
    storage.setItem(keyOf(owner), (isOpen ? OPEN : CLOSED) + draft.slice(0, LIMITS.textMaxChars)),
  );
}

export function recall(owner: Owner): Remembered {
  const text = withStorage((storage) => storage.getItem(keyOf(owner))) ?? CLOSED;
  return { isOpen: text.startsWith(OPEN), draft: text.slice(1, 1 + LIMITS.textMaxChars) };
}

export function forget(owner: Owner): void {
  withStorage((storage) => storage.removeItem(keyOf(owner)));
}

// One character, before the draft.
const OPEN = '+';
const CLOSED = '-';

/** Key in the tab's storage. A same-origin frame shares that storage with the page around it, so it has another key. */
const keyOf = ({ site, scope }: Owner) => `passerby-widget:${site}:${scope}${window === top ? '' : '@frame'}`;

/**
 * Runs `use` with the tab's storage; `undefined` if the browser forbids storage or it is full: then nothing is
 * remembered.
 */
function withStorage<Result>(use: (storage: Storage) => Result): Result | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
