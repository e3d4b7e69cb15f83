/**
 * Import rules, each with its reason. A path ends in `/` for a folder, otherwise it is one file; a name without `sdk/`,
 * `widget/`, `api/` in front is a package. Tests may import what they like.
 *
 * @typedef {object} Direction
 * @property {readonly string[]} from the files the direction binds
 * @property {readonly string[]} [except] files of `from` that it does not bind
 * @property {readonly string[]} [only] nothing but these may be imported
 * @property {readonly string[]} [never] these may not be imported
 * @property {string} why
 */

/**
 * Layers (folders and files) of the service, lowest first: a layer imports those below it, never those above. Each with
 * its reason.
 *
 * @type {readonly { rooms: readonly string[], why: string }[]}
 */
const API_LAYERS = [
  {
    rooms: ['errors.ts', 'clock.ts', 'deadline.ts'],
    why: 'Errors, clocks and deadlines are used everywhere, so they depend on nothing.',
  },
  {
    rooms: ['domain/'],
    why: 'Ids, sessions and notices are data that every folder shares, so they depend on nothing.',
  },
  { rooms: ['limits/'], why: 'Limits are tables of numbers and reasons, separate from the code that enforces them.' },
  { rooms: ['contract/'], why: 'The contract validates input of visitors, independent of its use.' },
  {
    rooms: ['matching/'],
    why: 'The matching decision is pure: stores call it, it calls nothing, and a test needs no set-up.',
  },
  { rooms: ['observability/'], why: 'Everything reports to observability, so it cannot depend on what reports.' },
  {
    rooms: ['state/', 'records/'],
    why: 'Stores keep data; rules of features belong elsewhere, or both stores would need them twice.',
  },
  { rooms: ['cluster/'], why: 'The node bus carries messages for the features, and depends on none.' },
  { rooms: ['privacy/'], why: 'Addresses are hashed before any feature sees them.' },
  { rooms: ['rate-limiting/'], why: 'A rate limiter counts for any feature, and depends on none.' },
  { rooms: ['sites/'], why: 'A site is data of its owner, independent of its visitors.' },
  {
    rooms: ['moderation/'],
    why: 'Bans and reports are decided without a connection: operators do so when no visitor is connected.',
  },
  { rooms: ['broadcast.ts', 'admission/'], why: 'Admission decides before a session exists, so it cannot use one.' },
  {
    rooms: ['sessions/'],
    why: 'A feature gets push, stores, clock and ids through its constructor: it is independent of the entry point.',
  },
  { rooms: ['requests/'], why: 'A handler is the same for every entry point, so it depends on none.' },
  { rooms: ['background/'], why: 'Maintenance runs without a request: it uses the features, and no entry point.' },
  {
    rooms: ['config.ts'],
    why: 'The configuration has the options of the folders below, and is read before any entry point exists.',
  },
  {
    rooms: ['http/', 'socket/', 'cli/'],
    why: 'Entry points call features; the start of the process calls the entry points.',
  },
  {
    rooms: ['start-error.ts', 'backend.ts', 'redis-backend.ts', 'shutdown.ts', 'draining.ts', 'entry-points.ts'],
    why: 'Start and end of a process do not construct the service.',
  },
  {
    rooms: ['app.ts'],
    why: 'app.ts is the composition root; the parts it constructs cannot depend on it.',
  },
  { rooms: ['main.ts'], why: 'main.ts is the process: importing it would start one.' },
];
const inApi = (/** @type {{ rooms: readonly string[] }} */ { rooms }) => rooms.map((room) => `api/src/${room}`);
const features = ['sites', 'moderation', 'admission', 'sessions', 'requests', 'background'].map(
  (room) => `api/src/${room}/`,
);

const sdkRooms = [
  'sdk/src/connection/',
  'sdk/src/delivery/',
  'sdk/src/conversation/',
  'sdk/src/tabs/',
  'sdk/src/commands/',
];
const sdkTop = ['sdk/src/client.ts', 'sdk/src/service-events.ts', 'sdk/src/index.ts'];

/** @type {readonly Direction[]} */
export const DIRECTIONS = [
  {
    from: ['sdk/src/protocol/'],
    only: ['sdk/src/protocol/'],
    why: 'The contract imports nothing: the service, the SDK and every browser share it, and load whatever it imports.',
  },
  {
    from: ['sdk/src/'],
    except: ['sdk/src/connection/socket-io.ts'],
    never: ['socket.io-client', 'engine.io-client'],
    why: 'Only connection/socket-io.ts knows Engine.IO: any other path (a data channel, a fake) must implement the Transport interface.',
  },
  {
    from: ['sdk/src/'],
    never: ['node:*', 'svelte', 'zod', '@passerby/*', 'widget/', 'api/', 'examples/'],
    why: 'The SDK runs in browsers, in Node and in any framework: it depends on none of them, nor on its users.',
  },
  {
    from: [
      'sdk/src/errors.ts',
      'sdk/src/state.ts',
      'sdk/src/options.ts',
      'sdk/src/events.ts',
      'sdk/src/internal/',
      'sdk/src/chat-view.ts',
    ],
    never: [...sdkRooms, ...sdkTop],
    why: 'Errors, state, events, options and the view of a chat are below the parts that use them.',
  },
  {
    from: ['sdk/src/connection/'],
    never: ['sdk/src/delivery/', 'sdk/src/conversation/', 'sdk/src/tabs/', 'sdk/src/commands/', ...sdkTop],
    why: 'A connection carries packets; it depends neither on conversations nor on stored state, so that another transport can replace it.',
  },
  {
    from: ['sdk/src/delivery/'],
    never: ['sdk/src/connection/', 'sdk/src/conversation/', 'sdk/src/tabs/', 'sdk/src/commands/', ...sdkTop],
    why: 'Delivery handles numbers and bodies, independent of the connection that carries frames and of their content.',
  },
  {
    from: ['sdk/src/conversation/'],
    never: ['sdk/src/connection/', 'sdk/src/tabs/', 'sdk/src/commands/', ...sdkTop],
    why: 'A conversation depends on delivery alone: a test needs neither a connection nor a tab.',
  },
  {
    from: ['sdk/src/tabs/'],
    never: ['sdk/src/connection/', 'sdk/src/commands/', ...sdkTop],
    why: 'A tab stores plain data of conversations, and sends no requests.',
  },
  {
    from: ['sdk/src/commands/'],
    never: [...sdkTop],
    why: 'The client composes the parts; a part that depends on it cannot be tested alone.',
  },
  {
    from: ['api/src/'],
    never: ['@passerby/sdk', 'sdk/', 'widget/', 'socket.io-client'],
    why: 'The service shares the contract with the SDK and nothing else: import @passerby/sdk/protocol.',
  },
  ...API_LAYERS.slice(0, -1).map((layer, at) => ({
    from: inApi(layer),
    never: API_LAYERS.slice(at + 1).flatMap(inApi),
    why: layer.why,
  })),
  {
    from: ['api/src/domain/', 'api/src/limits/', 'api/src/matching/'],
    except: ['api/src/domain/id-source.ts'],
    never: ['node:*', 'koa', 'socket.io', 'zod', 'ioredis'],
    why: 'Data and pure decisions need neither a runtime nor a library.',
  },
  {
    from: ['api/src/'],
    except: ['api/src/records/'],
    never: ['kysely', 'kysely/*', 'pg', 'node:sqlite'],
    why: 'Only records/ uses the database, so that both databases have one contract.',
  },
  {
    from: features,
    never: ['koa', '@koa/*', 'socket.io', 'ioredis'],
    why: 'A feature is the same for every entry point and store, so it depends on the library of none.',
  },
  {
    from: ['widget/src/'],
    never: [
      '@passerby/sdk/*',
      'sdk/',
      'api/',
      '@passerby/api',
      'socket.io-client',
      'engine.io-client',
      'zod',
      'node:*',
    ],
    why: 'The widget is a user of the SDK like any other, through its public entry point.',
  },
  {
    from: ['examples/'],
    never: ['sdk/', 'widget/', 'api/', '@passerby/api', '@passerby/sdk/dist/*', '@passerby/sdk/src/*'],
    why: 'An example uses packages as others do: by name, through their public entry points.',
  },
];
