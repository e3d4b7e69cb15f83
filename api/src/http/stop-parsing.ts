import type { Socket } from 'node:net';

/** Answer of the parser's callback for the head of a request upon which it gives up. */
const GIVE_UP = -1;

/** Callbacks that replace those of a parser, by the name of the callback's number. */
const INSTEAD = { kOnHeaders: null, kOnHeadersComplete: () => GIVE_UP, kOnBody: null, kOnMessageComplete: null };
type Callback = keyof typeof INSTEAD;

/** Property that Node keeps to itself. A parser has each callback under its number, which the class knows by its name. */
interface Innards {
  readonly parser?: Record<number, unknown> & { readonly constructor: Readonly<Record<Callback, number>> };
}

/**
 * Passes over what else was read from a connection that is refused. Node reads 64 KiB at once and goes on parsing them
 * after the connection is destroyed: 2,400 more requests, or 10,000 pieces of a body, each for many times what it cost to
 * send. From 100 connections at once that took seconds in one turn of the event loop.
 */
export function stopParsing(socket: Socket): void {
  const { parser } = socket as Innards;
  if (parser == null || parser[parser.constructor.kOnBody] === null) return;
  const names = Object.keys(INSTEAD) as Callback[];
  const before = names.map((name) => [parser.constructor[name], parser[parser.constructor[name]]] as const);
  for (const name of names) parser[parser.constructor[name]] = INSTEAD[name];
  // Node has just put it back among those for new connections, and no other one has it yet.
  socket.once('close', () => before.forEach(([number, callback]) => (parser[number] = callback)));
}
