/**
 * Parts that most visitors never see, in a file of their own. Each part is mounted by the runtime that came with
 * it, and what it is given is plain: after a failed first load that may be another copy than the widget's.
 */
import { type Component, flushSync, mount, unmount } from 'svelte';
import { enOnDemand } from '../i18n/en-on-demand.ts';
import type { AllStrings, Strings } from '../i18n/en.ts';
import Gate from './Gate.svelte';
import LeaveNotice from './LeaveNotice.svelte';
import Report from './Report.svelte';

export { Gate, LeaveNotice, Report };

/** Properties of one of them before its own words are there. */
export type Given<Props extends { strings: AllStrings }> = Omit<Props, 'strings'> & { readonly strings: Strings };

/** Puts one of them into `target`; returns what takes it out again. */
export function show<Props extends { strings: AllStrings }>(
  component: Component<Props>,
  target: Element,
  given: Given<Props>,
): () => void {
  const props = { ...given, strings: { ...enOnDemand, ...given.strings } } as unknown as Props;
  const shown = mount(component, { target, props });
  flushSync();
  return () => void unmount(shown);
}
