/** Under which URL agents and proxies reach the scheduler when nobody says so. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { shownConnectString } from '../framework/index.ts';
import type { MasterLocation } from './config.ts';

const ANY_PORT = 9;

/**
 * A listener on every address is reached under the address from which this machine talks to the master. `host` is where
 * it listens. Where only ZooKeeper knows the master, it stands for it. @throws when there is no way there.
 */
export async function advertisedUrl(host: string, port: number, master: MasterLocation): Promise<string> {
  const reached = host === '0.0.0.0' || host === '::' ? await localAddressTowards(hostOf(master)) : host;
  return `http://${isIP(reached) === 6 ? `[${reached}]` : reached}:${port}`;
}

/** For logs: without passwords. */
export function shownMaster(master: MasterLocation): string {
  return master.kind === 'urls' ? master.urls.join(',') : shownConnectString(master.ensemble);
}

function hostOf(master: MasterLocation): string {
  if (master.kind === 'urls') return new URL(master.urls[0]).hostname;
  return master.ensemble.servers[0]?.host ?? '127.0.0.1';
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
