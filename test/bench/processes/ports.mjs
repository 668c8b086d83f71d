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
 * The same, but the body is only counted: ten megabytes that are kept would cost the load on the same core more than they
 * cost the proxy.
 *
 * @param {{ readonly address: string, readonly port: number }} place
 * @param {string} path
 * @returns {Promise<{ status: number, bytes: number }>}
 */
export async function sizeOf({ address, port }, path) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  return await new Promise((resolve, reject) => {
    const sent = request({ host: address, port, path, agent: false, signal }, (answer) => {
      let bytes = 0;
      answer.on('data', (/** @type {Buffer} */ piece) => {
        bytes += piece.length;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes })).on('error', reject);
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
