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
 * Rooms (folders and files) of the service, lowest first: a room imports those below it, never those above. Each with
 * what it would lose otherwise.
 *
 * @type {readonly { rooms: readonly string[], why: string }[]}
 */
const API_LAYERS = [
  {
    rooms: ['errors.ts', 'clock.ts', 'deadline.ts'],
    why: 'Errors, clocks and deadlines are used everywhere, and know nothing.',
  },
  { rooms: ['domain/'], why: 'Ids, sessions and notices are data that every room shares: they stand on nothing.' },
  { rooms: ['limits/'], why: 'Limits are tables: numbers and their reasons, without what enforces them.' },
  { rooms: ['contract/'], why: 'The contract checks what visitors send, and knows nothing that is done with it.' },
  {
    rooms: ['matching/'],
    why: 'The decision who meets whom is pure: the stores ask it, it asks nobody, and a test needs nothing to run it.',
  },
  { rooms: ['observability/'], why: 'Everything reports to observability, so it can know nothing of what reports.' },
  {
    rooms: ['state/', 'records/'],
    why: 'Stores keep what they are given; the rules of features stay out of them, or both stores would need them twice.',
  },
  { rooms: ['cluster/'], why: 'The way to other nodes carries messages for the features, and knows none of them.' },
  { rooms: ['privacy/'], why: 'Addresses are hashed before any feature sees them.' },
  { rooms: ['rate-limiting/'], why: 'A rate limiter counts for any feature, and knows none.' },
  { rooms: ['sites/'], why: 'A site is data of its owner: it knows nothing of the visitors on it.' },
  {
    rooms: ['moderation/'],
    why: 'Bans and reports are decided without a connection: operators do so when nobody is there.',
  },
  { rooms: ['broadcast.ts', 'admission/'], why: 'Admission decides before there is a session, so it cannot ask one.' },
  {
    rooms: ['sessions/'],
    why: 'A feature gets push, stores, clock and ids through its constructor: it never knows by which door a visitor came.',
  },
  { rooms: ['requests/'], why: 'A handler is the same for every door, so it knows none.' },
  { rooms: ['background/'], why: 'Maintenance runs without a request: it knows the features, and no door.' },
  {
    rooms: ['config.ts'],
    why: 'The configuration names what the rooms below need, and is read before any door is there.',
  },
  { rooms: ['http/', 'socket/', 'cli/'], why: 'The doors call features; what starts the process calls the doors.' },
  {
    rooms: ['start-error.ts', 'backend.ts', 'shutdown.ts', 'draining.ts', 'entry-points.ts'],
    why: 'What a process is started and ended with does not construct the service.',
  },
  {
    rooms: ['app.ts'],
    why: 'app.ts is the one place that constructs things; what it constructs cannot reach back to it.',
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
    why: 'The contract imports nothing: the service, the SDK and every browser share it, and pay for whatever it pulls in.',
  },
  {
    from: ['sdk/src/'],
    except: ['sdk/src/connection/socket-io.ts'],
    never: ['socket.io-client', 'engine.io-client'],
    why: 'Only connection/socket-io.ts knows Engine.IO: any other path (a data channel, a fake) must fit the Transport seam.',
  },
  {
    from: ['sdk/src/'],
    never: ['node:*', 'svelte', 'zod', '@passerby/*', 'widget/', 'api/', 'examples/'],
    why: 'The SDK runs in browsers, in Node and in any framework: it needs none of them, and nobody it serves.',
  },
  {
    from: ['sdk/src/errors.ts', 'sdk/src/state.ts', 'sdk/src/options.ts', 'sdk/src/events.ts', 'sdk/src/internal/'],
    never: [...sdkRooms, ...sdkTop],
    why: 'Errors, state, events and options of the public API stand below the parts that use them.',
  },
  {
    from: ['sdk/src/connection/'],
    never: ['sdk/src/delivery/', 'sdk/src/conversation/', 'sdk/src/tabs/', 'sdk/src/commands/', ...sdkTop],
    why: 'A connection carries packets; it knows neither conversations nor what is stored, so that another transport can take its place.',
  },
  {
    from: ['sdk/src/delivery/'],
    never: ['sdk/src/connection/', 'sdk/src/conversation/', 'sdk/src/tabs/', 'sdk/src/commands/', ...sdkTop],
    why: 'Delivery knows numbers and bodies; it knows neither the connection that carries frames nor what they say.',
  },
  {
    from: ['sdk/src/conversation/'],
    never: ['sdk/src/connection/', 'sdk/src/tabs/', 'sdk/src/commands/', ...sdkTop],
    why: 'A conversation stands on delivery alone: a test needs neither a connection nor a tab to run one.',
  },
  {
    from: ['sdk/src/tabs/'],
    never: ['sdk/src/connection/', 'sdk/src/commands/', ...sdkTop],
    why: 'A tab stores plain data of conversations; it asks the service nothing.',
  },
  {
    from: ['sdk/src/commands/'],
    never: [...sdkTop],
    why: 'The client puts the parts together; a part that reaches back to it cannot be tested alone.',
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
    why: 'Only records/ speaks to the database: everyone else asks it, so that both databases stay one contract.',
  },
  {
    from: features,
    never: ['koa', '@koa/*', 'socket.io', 'ioredis'],
    why: 'A feature is the same behind every door and on every store, so it needs the library of none.',
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
    why: 'The widget is a customer of the SDK like any other: what its public entry does not export, nobody has.',
  },
  {
    from: ['examples/'],
    never: ['sdk/', 'widget/', 'api/', '@passerby/api', '@passerby/sdk/dist/*', '@passerby/sdk/src/*'],
    why: 'An example shows what a stranger to this repository can do: packages by name, through their public entries.',
  },
];
