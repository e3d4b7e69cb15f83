/**
 * What most visitors never see, in a file of its own. Each part is mounted by the runtime that came with
 * it, and what it is given is plain: after a failed first load that may be another copy than the widget's.
 */
import { type Component, flushSync, mount, unmount } from 'svelte';
import Gate from './Gate.svelte';
import LeaveNotice from './LeaveNotice.svelte';
import Report from './Report.svelte';

export { Gate, LeaveNotice, Report };

/** Puts one of them into `target`; returns what takes it out again. */
export function show<Props extends Record<string, unknown>>(
  component: Component<Props>,
  target: Element,
  props: Props,
): () => void {
  const shown = mount(component, { target, props });
  flushSync();
  return () => void unmount(shown);
}
