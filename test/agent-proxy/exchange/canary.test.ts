/**
 * Many connections at once, each with a secret of its own in heads, bodies and trailers: none is ever seen on another.
 * Read buffers are overwritten after each callback (test/fixtures/proxy.ts), so bytes that were kept too long would show.
 */
import { expect, test } from 'vitest';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { type RawSocket, rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { straight } from '../../fixtures/static-config.ts';

const CONNECTIONS = 60;
const REQUESTS = 8;
const POISON = 'XXXXXXXX';

/** Answers each request with what was in it, in chunks or with a length, in pieces of odd sizes. */
function echo(connection: RawSocket): void {
  let from = 0;
  connection.socket.on('data', () => {
    for (;;) {
      const { text } = connection;
      const end = text.indexOf('\r\n\r\n', from);
      if (end === -1) return;
      const head = text.slice(from, end + 4);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      const canary = /^x-canary: (\S+)/im.exec(head)?.[1] ?? 'none';
      const body = text.slice(end + 4, end + 4 + length);
      from = end + 4 + length;
      answer(connection, canary, body);
    }
  });
}

function answer(connection: RawSocket, canary: string, body: string): void {
  const inChunks = body.length % 2 === 0;
  const bytes = inChunks
    ? `HTTP/1.1 200 OK\r\nX-Canary: ${canary}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(body)}0\r\nX-Tail: ${canary}\r\n\r\n`
    : `HTTP/1.1 200 OK\r\nX-Canary: ${canary}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  // Heads and framing are cut anywhere.
  for (let at = 0; at < bytes.length; at += 997) connection.send(bytes.slice(at, at + 997));
}

function chunked(body: string): string {
  let text = '';
  for (let at = 0; at < body.length; at += 1_500) {
    const piece = body.slice(at, at + 1_500);
    text += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return text;
}

test('no byte of a connection is ever seen on another', async () => {
  const app = await useRawBackend(echo);
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const canaryOf = (index: number): string => `canary-${index}-${'abcdefghij'[index % 10]}`;
  const run = async (index: number): Promise<void> => {
    const canary = canaryOf(index);
    const client = rawClient(proxy.url);
    let complete = 0;
    for (let count = 1; count <= REQUESTS; count += 1) {
      const body = `${canary};`.repeat(((index * 7 + count * 13) % 40) * 30 + 1);
      const bytes = `POST /${canary} HTTP/1.1\r\nHost: web\r\nX-Canary: ${canary}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const step = 501 + index;
      for (let at = 0; at < bytes.length; at += step) {
        client.send(bytes.slice(at, at + step));
        if (at % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const answered = (text: string) => {
        const end = endOfAnswer(text, complete);
        complete = end ?? complete;
        return end !== null;
      };
      await client.until('it is answered', answered, 30_000);
    }
    const seen = new Set(client.text.match(/canary-\d+-./g));
    expect([...seen]).toEqual([canary]);
    expect(client.text).not.toContain(POISON);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => run(index)));
  for (const { text } of app.connections) {
    expect(text).not.toContain(POISON);
    for (const request of text.split(/(?=POST \/canary)/)) {
      expect(new Set(request.match(/canary-\d+-./g)).size).toBeLessThanOrEqual(1);
    }
  }
});

/** Where the answer that begins at `at` ends; null while it is not complete. */
function endOfAnswer(text: string, at: number): number | null {
  const end = text.indexOf('\r\n\r\n', at);
  if (end === -1) return null;
  const length = /^content-length: (\d+)/im.exec(text.slice(at, end))?.[1];
  if (length !== undefined) {
    const last = end + 4 + Number(length);
    return text.length < last ? null : last;
  }
  const last = text.indexOf('\r\n0\r\nX-Tail: ', end);
  const close = last === -1 ? -1 : text.indexOf('\r\n\r\n', last + 2);
  return close === -1 ? null : close + 4;
}
