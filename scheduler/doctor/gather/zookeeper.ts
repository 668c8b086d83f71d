/** What each server of an ensemble says of itself: `srvr`, one of ZooKeeper's four-letter words, needs no session and no login. */
import { connect } from 'node:net';
import type { ConnectString } from '../../../framework/index.ts';
import type { ZooKeeperFacts, ZooKeeperServer } from '../facts.ts';
import { reasonOf } from './bounded.ts';

const MAX_ANSWER = 64 * 1024;

export async function gatherZooKeeper(
  use: ZooKeeperFacts['use'],
  { servers }: Pick<ConnectString, 'servers'>,
  timeoutMs: number,
): Promise<ZooKeeperFacts> {
  const answers = servers.map(async ({ host, port }): Promise<ZooKeeperServer> => {
    const server = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const begun = performance.now();
    try {
      const text = await word(host, port, timeoutMs);
      return { server, answer: readSrvr(text, Math.round(performance.now() - begun)) };
    } catch (error) {
      return { server, answer: { kind: 'unreachable', reason: reasonOf(error) } };
    }
  });
  return { use, servers: await Promise.all(answers) };
}

/** An answer of `srvr`. */
export function readSrvr(text: string, tookMs: number): ZooKeeperServer['answer'] {
  const mode = /^Mode: (\S+)/m.exec(text)?.[1];
  if (mode !== undefined) {
    // The average has a fraction from 3.6 on.
    const [, , average, most] = /^Latency min\/avg\/max: ([\d.]+)\/([\d.]+)\/([\d.]+)/m.exec(text) ?? [];
    return { kind: 'serving', mode, averageMs: Number(average ?? 0), mostMs: Number(most ?? 0), tookMs };
  }
  // One that is in no quorum may hang up without a word, as a proxy does before one that is away.
  if (text === '') return { kind: 'not-serving', said: 'it hangs up without a word' };
  if (/not currently serving/i.test(text)) return { kind: 'not-serving', said: text.trim().slice(0, 200) };
  return { kind: 'silent', tookMs };
}

/** What a server writes before it hangs up. */
async function word(host: string, port: number, timeoutMs: number): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host, port, timeout: timeoutMs });
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), timeoutMs);
    socket.setEncoding('utf8');
    // The server hangs up after its answer; what stands between may do so at once where we end our side first.
    socket.on('connect', () => socket.write('srvr'));
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > MAX_ANSWER) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('timeout', () => socket.destroy(new Error('no answer in time')));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
