import { defineScript, type Script } from './script.ts';

/** One script a transition; the names are the Lua files'. */
export const SCRIPT_NAMES = [
  'open-session',
  'resume-session',
  'settle-session',
  'suspend-session',
  'close-session',
  'agree-session',
  'find-match',
  'cancel-match',
  'leave-conversation',
  'confirm-match',
  'block-peer',
  'name-reported',
  'end-conversation',
  'sweep-site',
  'beat-node',
  'survey-wait',
  'count-online',
  'compare-sessions',
  'list-placed',
  'repair-site',
  'raise-revision',
  'drop-foreign',
] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

export const SCRIPTS = Object.fromEntries(SCRIPT_NAMES.map((name) => [name, defineScript(name)])) as Readonly<
  Record<ScriptName, Script>
>;
