/** Under which URL agents and proxies reach the scheduler when nobody says so. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';

const ANY_PORT = 9;

/**
 * A listener on every address is reached under the address from which this machine talks to the master. `host` is where
 * it listens; `master` the master's base URL. @throws when there is no way to the master's address.
 */
export async function advertisedUrl(host: string, port: number, master: string): Promise<string> {
  const reached = host === '0.0.0.0' || host === '::' ? await localAddressTowards(new URL(master).hostname) : host;
  return `http://${isIP(reached) === 6 ? `[${reached}]` : reached}:${port}`;
}

/** Asks the kernel's routing table; connecting a datagram socket sends nothing. */
async function localAddressTowards(name: string): Promise<string> {
  const target = name.replace(/^\[(.*)\]$/, '$1');
  const socket = createSocket(isIP(target) === 6 ? 'udp6' : 'udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(socket.address().address));
      socket.connect(ANY_PORT, target);
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `cannot tell under which address agents reach this scheduler (${why}); say it with --advertise URL`,
    );
  } finally {
    socket.close();
  }
}
