/** Ports of this machine: which are free, and when somebody answers on one. */
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWER_WITHIN_MS = 5000;

/** @returns {Promise<number>} a port of 127.0.0.1 that nobody has */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address and a port');
  return address.port;
}

/**
 * @param {{ readonly address: string, readonly port: number }} place
 * @param {string} path
 * @param {string} [host]
 * @returns {Promise<{ status: number, body: string }>}
 */
export async function get({ address, port }, path, host = address) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  return await new Promise((resolve, reject) => {
    const sent = request({ host: address, port, path, headers: { host }, agent: false, signal }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
    });
    sent.on('error', reject).end();
  });
}

/**
 * Asks until the answer is 200.
 *
 * @param {{ readonly address: string, readonly port: number }} place
 * @param {string} host
 * @param {{ readonly ended: () => number | string | null }} process gives up when it has ended
 * @returns {Promise<string | null>} null once it answers; else why it does not
 */
export async function whyNotReady(place, host, process) {
  let last = 'no answer';
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const ended = process.ended();
    if (ended !== null) return `it ended with ${ended}`;
    try {
      const { status } = await get(place, '/', host);
      if (status === 200) return null;
      last = `it answers ${status}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(50);
  }
  return last;
}
