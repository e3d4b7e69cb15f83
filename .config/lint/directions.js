/**
 * Who may import whom, and why. A path ends in `/` for a folder, otherwise it is one file; a name without
 * `sdk/`, `widget/`, `api/` in front is a package. Tests may import what they like.
 *
 * @typedef {object} Direction
 * @property {readonly string[]} from the files the direction binds
 * @property {readonly string[]} [except] files of `from` that it does not bind
 * @property {readonly string[]} [only] nothing but these may be imported
 * @property {readonly string[]} [never] these may not be imported
 * @property {string} why
 */

const features = ['api/src/match/', 'api/src/conversation/', 'api/src/session/', 'api/src/sites/', 'api/src/safety/'];
const sdkRooms = [
  'sdk/src/connection/',
  'sdk/src/delivery/',
  'sdk/src/conversation/',
  'sdk/src/tabs/',
  'sdk/src/commands/',
];
const sdkTop = ['sdk/src/client.ts', 'sdk/src/index.ts'];
const doors = ['api/src/http/', 'api/src/socket/'];

/** @type {readonly Direction[]} */
export const DIRECTIONS = [
  {
    from: ['sdk/src/protocol/'],
    only: ['sdk/src/protocol/'],
    why: 'The contract imports nothing: the service, the SDK and every browser share it, and pay for whatever it pulls in.',
  },
  {
    from: ['sdk/src/'],
    except: ['sdk/src/connection/socket-transport.ts'],
    never: ['socket.io-client', 'engine.io-client'],
    why: 'Only connection/socket-transport.ts knows Socket.IO: any other path (a data channel, a fake) must fit the Transport seam.',
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
  {
    from: [
      'api/src/contract/',
      'api/src/errors.ts',
      'api/src/privacy/client-address.ts',
      'api/src/limits/',
      'api/src/state/',
      'api/src/records/',
      'api/src/decision/',
      'api/src/observability/',
    ],
    never: [...features, ...doors, 'api/src/app.ts', 'api/src/main.ts'],
    why: 'Contract, errors, addresses, limits, state, records and observability are the ground the features stand on; the ground knows none of them.',
  },
  {
    from: ['api/src/decision/'],
    never: ['api/src/state/', 'api/src/http/', 'node:*'],
    why: 'The decision who meets whom is pure: the stores ask it, it asks nobody, and a test needs nothing to run it.',
  },
  {
    from: ['api/src/'],
    except: ['api/src/records/'],
    never: ['kysely', 'kysely/*', 'pg', 'node:sqlite'],
    why: 'Only records/ speaks to the database: everyone else asks it, so that both databases stay one contract.',
  },
  {
    from: features,
    never: [...doors, 'api/src/app.ts', 'api/src/main.ts', 'koa', '@koa/*', 'socket.io'],
    why: 'A feature gets its push, stores, clock and ids through its constructor: it never knows by which door a visitor came.',
  },
  {
    from: doors,
    never: ['api/src/app.ts', 'api/src/main.ts'],
    why: 'app.ts is the one place that constructs things; what it constructs cannot reach back to it.',
  },
  {
    from: ['api/src/'],
    never: ['api/src/main.ts'],
    why: 'main.ts is the process: importing it would start one.',
  },
  {
    from: ['widget/src/'],
    never: ['@passerby/sdk/*', 'sdk/', 'api/', '@passerby/api', 'socket.io-client', 'zod', 'node:*'],
    why: 'The widget is a customer of the SDK like any other: what its public entry does not export, nobody has.',
  },
  {
    from: ['examples/'],
    never: ['sdk/', 'widget/', 'api/', '@passerby/api', '@passerby/sdk/dist/*', '@passerby/sdk/src/*'],
    why: 'An example shows what a stranger to this repository can do: packages by name, through their public entries.',
  },
];
