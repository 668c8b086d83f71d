/**
 * Listening sockets that outlive the process that serves them. The supervisor binds a socket and hands its file
 * descriptor to each worker in turn; the worker listens and accepts. While a worker is replaced the kernel goes on
 * queueing connections on the same socket, so no client is refused.
 *
 * Node has no public way to bind a TCP socket without serving it: `net.Server.listen` accepts at once, in this process,
 * and `node:cluster` closes its shared handle as soon as no worker holds it. `net._createServerHandle` is what
 * `node:cluster` itself binds with; it is used in this one file, behind a typed interface, and checked at run time.
 */
import net from 'node:net';

/** A socket that is bound, and that this process never accepts on. */
export interface BoundSocket {
  readonly ip: string;
  readonly port: number;
  /** To be inherited by a child (`stdio`), which calls `server.listen({ fd })`. */
  readonly fd: number;
  close(): void;
}

/** Why a socket could not be bound: `code` is the system's, `EADDRINUSE` among others. */
export class BindError extends Error {
  override readonly name = 'BindError';
  readonly code: string;
  readonly ip: string;
  readonly port: number;

  constructor(ip: string, port: number, code: string) {
    super(`cannot listen on ${ip}:${port}: ${describe(code)}`);
    this.code = code;
    this.ip = ip;
    this.port = port;
  }
}

/** What `net._createServerHandle` returns: a handle, or a negative error number. */
interface TcpHandle {
  readonly fd: number;
  close(): void;
  getsockname(out: { address?: string; port?: number }): number;
}

interface NetInternals {
  _createServerHandle?: (address: string, port: number, addressType: 4 | 6) => TcpHandle | number;
}

function describe(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is taken by another process';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'EACCES':
      return 'this user may not bind that port';
    default:
      return code;
  }
}

/** Binds a socket. Port 0 takes a free one. Throws a {@link BindError}. */
export function bindSocket(ip: string, port: number): BoundSocket {
  const create = (net as unknown as NetInternals)._createServerHandle;
  if (typeof create !== 'function') {
    throw new Error(`this Node.js (${process.version}) cannot bind a socket for another process; use Node.js 20 to 24`);
  }
  const handle = create(ip, port, net.isIPv6(ip) ? 6 : 4);
  if (typeof handle === 'number') throw new BindError(ip, port, systemCode(handle));
  // libuv may keep EADDRINUSE to itself until `listen`; then the socket has no address yet.
  const name: { address?: string; port?: number } = {};
  const status = handle.getsockname(name);
  if (status !== 0 || name.port === undefined || name.port === 0 || (port !== 0 && name.port !== port)) {
    handle.close();
    throw new BindError(ip, port, status === 0 ? 'EADDRINUSE' : systemCode(status));
  }
  return { ip, port: name.port, fd: handle.fd, close: () => handle.close() };
}

/** The name of a libuv error number, as in `err.code`. */
function systemCode(errno: number): string {
  return SYSTEM_CODES.get(errno) ?? `system error ${errno}`;
}

/** The errors of bind(2) on Linux that people meet. */
const SYSTEM_CODES: ReadonlyMap<number, string> = new Map([
  [-13, 'EACCES'],
  [-98, 'EADDRINUSE'],
  [-99, 'EADDRNOTAVAIL'],
  [-22, 'EINVAL'],
  [-24, 'EMFILE'],
]);
