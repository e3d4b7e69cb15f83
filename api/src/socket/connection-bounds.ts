import type { Socket as TcpSocket } from 'node:net';
import type { ConnectionLimits } from '../limits/connection-limits.ts';
import type { MonotonicClock } from '../clock.ts';
import { PacketQuota } from './packet-quota.ts';
import type { VisitorServer, VisitorSocket } from './visitor-socket.ts';

/** One Engine.IO connection. */
type Connection = VisitorSocket['conn'];
interface Packet {
  readonly type?: string;
  readonly data?: string;
}
/** Private parts of Engine.IO and ws. A transport has a `socket` if it is a WebSocket, and a `closeTimeout` if it is not. */
interface Innards {
  readonly writeBuffer: readonly Packet[];
  readonly transport: {
    readonly writable: boolean;
    readonly socket?: { readonly bufferedAmount: number; readonly _socket: TcpSocket };
    closeTimeout?: number;
    /** Called with the body of a long-polling request: one packet or several. */
    onData(body: string): void;
  };
}

const innardsOf = (connection: Connection): Innards => connection as unknown as Innards;

/**
 * Bounds the closing time of every connection, and cuts one that leaves too much unread, whether pushes, answers or
 * pings.
 */
export function boundConnections(server: VisitorServer, bounds: ConnectionLimits, cut: () => void): void {
  server.engine.on('connection', (connection: Connection) => {
    closeInTime(connection, bounds.closeMs);
    connection.on('packetCreate', (packet: Packet) => {
      if (!isTooMuch(innardsOf(connection), packet, bounds)) return;
      cut();
      tearDown(connection);
    });
  });
}

/** Cuts a connection over long-polling that sends too many packets. A WebSocket is counted where it is created. */
export function boundPolling(
  server: VisitorServer,
  bounds: ConnectionLimits,
  clock: MonotonicClock,
  cut: () => void,
): void {
  server.engine.on('connection', (connection: Connection) => {
    const packets = new PacketQuota(bounds, clock);
    const cutOff = () => {
      cut();
      tearDown(connection);
    };
    connection.on('packet', ({ data = '' }: Packet) => {
      if (innardsOf(connection).transport.socket === undefined && !packets.tryConsume(Buffer.byteLength(data)))
        cutOff();
    });
    const { transport } = innardsOf(connection);
    if (transport.socket !== undefined) return;
    // Engine.IO decodes every packet of a body, up to 32,000, before it handles the first one.
    const onData = transport.onData.bind(transport);
    transport.onData = (body) => {
      if (hasMorePackets(body, bounds.packetsMax)) cutOff();
      else onData(body);
    };
  });
}

/** Separator of packets in one body. */
const SEPARATOR = '\x1e';

function hasMorePackets(body: string, max: number): boolean {
  let count = 1;
  for (let at = body.indexOf(SEPARATOR); at !== -1 && count <= max; at = body.indexOf(SEPARATOR, at + 1)) count++;
  return count > max;
}

/** Type of Socket.IO's CONNECT_ERROR packet, which refuses a CONNECT for any reason. */
const CONNECT_ERROR = '4';

/**
 * Closes a connection whose CONNECT was refused, after the refusal is sent. It accepts no second CONNECT, and would
 * stay open for as long as it answers pings.
 */
export function closeRefused(server: VisitorServer): void {
  server.engine.on('connection', (connection: Connection) => {
    connection.on('packetCreate', ({ type, data = '' }: Packet) => {
      if (type !== 'message' || !data.startsWith(CONNECT_ERROR)) return;
      // The packet is queued right after this.
      process.nextTick(() => connection.close());
    });
  });
}

/**
 * Bounds the time in which a connection closes: Engine.IO waits until the other end has received what is queued, or
 * polls for it.
 */
function closeInTime(connection: Connection, closeMs: number): void {
  innardsOf(connection).transport.closeTimeout = closeMs;
  const close = connection.close.bind(connection);
  connection.close = (isDiscarding) => {
    const isFirst = connection.readyState === 'open';
    close(isDiscarding);
    if (!isFirst || connection.readyState !== 'closing') return;
    const timer = setTimeout(() => tearDown(connection), closeMs);
    connection.once('close', () => clearTimeout(timer));
  };
}

/** Returns whether so much is unread that pushes which may be lost should be dropped. */
export function isBehind({ conn }: VisitorSocket, bounds: ConnectionLimits): boolean {
  const innards = innardsOf(conn);
  return isHeldUp(innards) && innards.writeBuffer.length >= bounds.unreadLossyMaxPackets;
}

/**
 * Returns whether what is sent now has to wait for the other end. A WebSocket whose data the operating system has taken
 * only waits for the end of this turn of the event loop, however much is queued until then.
 */
function isHeldUp({ transport }: Innards): boolean {
  return !transport.writable && transport.socket?.bufferedAmount !== 0;
}

function isTooMuch(innards: Innards, next: Packet, bounds: ConnectionLimits): boolean {
  if (!isHeldUp(innards)) return false;
  const { writeBuffer, transport } = innards;
  if (writeBuffer.length >= bounds.unreadMaxPackets) return true;
  let bytes = (transport.socket?.bufferedAmount ?? 0) + bytesOf(next);
  for (const packet of writeBuffer) bytes += bytesOf(packet);
  return bytes > bounds.unreadMaxBytes;
}

const bytesOf = ({ data = '' }: Packet) => Buffer.byteLength(data);

/**
 * Closes without waiting until queued data is read, or the other end agrees. With a TCP reset, since the operating
 * system would keep sending the megabytes it has taken already.
 */
export function tearDown(connection: Connection): void {
  const { socket } = innardsOf(connection).transport;
  connection.close(true);
  socket?._socket.resetAndDestroy();
}
