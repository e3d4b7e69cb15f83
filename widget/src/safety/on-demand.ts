/**
 * Components that most visitors never see, in a chunk of their own. Each is mounted by the Svelte runtime that its
 * chunk imports, and given plain values: after a failed first load that may be another copy than the widget's.
 */
import { type Component, flushSync, mount, unmount } from 'svelte';
import { enOnDemand } from '../i18n/en-on-demand.ts';
import type { AllStrings, Strings } from '../i18n/en.ts';
import Gate from './Gate.svelte';
import LeaveNotice from './LeaveNotice.svelte';
import Report from './Report.svelte';

export { Gate, LeaveNotice, Report };

/** Properties of such a component before its own texts are loaded. */
export type Given<Props extends { strings: AllStrings }> = Omit<Props, 'strings'> & { readonly strings: Strings };

/** Mounts such a component in `target`; returns the function that unmounts it. */
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
