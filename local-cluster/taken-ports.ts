/** Looks at the start whether all ports of the cluster are free, so that a taken one is named at once and not after a minute. */
import { createServer, type Server } from 'node:net';

export interface Listener {
  readonly what: string;
  readonly ip: string;
  readonly port: number;
}

/** @throws an Error that names the first port that cannot be had, for what it is needed, and what to do. */
export async function requireFree(listeners: readonly Listener[]): Promise<void> {
  const faults = await Promise.all(listeners.map(probe));
  const fault = faults.find((text) => text !== null);
  if (fault !== undefined && fault !== null) throw new Error(fault);
}

function probe(listener: Listener): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(sentence(listener, error)));
    server.listen({ host: listener.ip, port: listener.port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** @throws an Error with that line. */
export async function listen(server: Server, listener: Listener): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(sentence(listener, error))));
    server.listen({ host: listener.ip, port: listener.port }, () => resolve());
  });
}

/** Why a listener could not be opened, in one line. */
export function sentence({ what, ip, port }: Listener, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${ip}, wanted for ${what}, is taken by another process; stop it, or run a second cluster beside it with --agent-net 127.0.2 --control-ip 127.0.2.254`;
    case 'EADDRNOTAVAIL':
      return `${ip}, wanted for ${what}, is not an address of this machine; choose others with --agent-net and --control-ip`;
    case 'EACCES':
      return `port ${port} on ${ip}, wanted for ${what}, may not be used by this user (EACCES)`;
    default:
      return `cannot listen on ${ip}:${port} for ${what}: ${error.message}`;
  }
}
