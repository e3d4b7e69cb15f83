import { defineScript, type Script } from './script.ts';

/** Names of the scripts, one per transition, as of their Lua files. */
export const SCRIPT_NAMES = [
  'open',
  'resume',
  'settle',
  'suspend',
  'close',
  'agree',
  'find',
  'cancel',
  'leave',
  'confirm',
  'block',
  'reported',
  'end',
  'sweep',
  'heartbeat',
  'survey',
  'online',
  'compare',
  'placed',
  'repair',
  'raise-revision',
  'drop-foreign',
] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

export const SCRIPTS = Object.fromEntries(SCRIPT_NAMES.map((name) => [name, defineScript(name)])) as Readonly<
  Record<ScriptName, Script>
>;
