/** Node's llhttp as an oracle: a stream that it and the proxy's parser both accept holds the same messages for both. */
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createRawServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REQUEST_CORPUS } from './corpus/requests.ts';
import { LIMITS } from './limits.ts';
import { damaged, request, response, streamOf } from './messages.ts';
import type { ReferenceMessage } from './reference-messages.ts';
import { cutAt, requestsIn, responsesIn } from './streams.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

let seen: Seen[] = [];
let refused = false;

/** Answers at once and reads on, so that pipelined requests come out one by one. */
const server = createServer({ insecureHTTPParser: false, requireHostHeader: false }, (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('error', () => undefined);
  incoming.on('end', () => {
    seen.push({
      method: incoming.method,
      url: incoming.url,
      fields: incoming.rawHeaders,
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: incoming.rawTrailers,
    });
    outgoing.end();
  });
});
server.on('clientError', (_error, socket) => {
  refused = true;
  socket.destroy();
});
// An expectation that Node answers itself, and tunnels that nobody wants here.
server.on('checkContinue', (incoming, outgoing) => server.emit('request', incoming, outgoing));
server.on('connect', (_incoming, socket) => {
  refused = true;
  socket.destroy();
});

let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** What llhttp makes of a stream of requests, or null where it refuses it or leaves it unfinished. */
async function byLlhttp(stream: string, count: number): Promise<readonly Seen[] | null> {
  seen = [];
  refused = false;
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => {
      socket.end(stream, 'latin1');
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve());
  });
  return refused || seen.length < count ? null : seen;
}

function asSeen({ start, fields, body, trailers }: ReferenceMessage): Seen {
  if (start.kind !== 'request') throw new Error('not a request');
  return { method: start.method, url: start.written, fields: fields.flat(), body, trailers: trailers.flat() };
}

/** True where both accepted it. */
async function compare(stream: string): Promise<boolean> {
  const { messages, end } = requestsIn(cutAt(stream, [3, 40, 90]), LIMITS, 'framed');
  // A connection that is to close after a message, or leaves HTTP behind, is left by Node there and by this parser not.
  const goesOn = messages.every(
    (message) => message.persists && !message.fields.some(([name]) => /^upgrade$/i.test(name)),
  );
  if (end.kind !== 'complete' || !goesOn) return false;
  const theirs = await byLlhttp(stream, messages.length);
  if (theirs === null) return false;
  expect(theirs.map(withoutTrailers)).toEqual(messages.map(asSeen).map(withoutTrailers));
  // The proxy drops trailers that it knows by name; it makes none up.
  for (const [index, message] of messages.entries()) {
    for (const text of message.trailers.flat()) expect(theirs[index]?.trailers).toContain(text);
  }
  return true;
}

function withoutTrailers(one: Seen): Omit<Seen, 'trailers'> {
  return { method: one.method, url: one.url, fields: one.fields, body: one.body };
}

describe('llhttp, as a server,', () => {
  it('reads the corpus as the proxy does', async () => {
    let both = 0;
    for (const stream of REQUEST_CORPUS) if (await compare(stream)) both += 1;
    expect(both).toBeGreaterThanOrEqual(6);
  });

  it('reads the same messages in any stream that both accept', async () => {
    let both = 0;
    const known = fc
      .oneof(request, damaged(request))
      .filter((stream) => /^(\r\n)?(GET|POST|PUT|HEAD|DELETE) /.test(stream));
    await fc.assert(
      fc.asyncProperty(streamOf(known), async (stream) => {
        if (await compare(stream)) both += 1;
      }),
      { numRuns: 300 },
    );
    expect(both).toBeGreaterThan(30);
  });
});

interface SeenResponse {
  readonly status: number | undefined;
  readonly fields: readonly string[];
  readonly body: string;
}

/** What llhttp makes of a response to a GET, or null where it refuses it. */
async function responseByLlhttp(stream: string): Promise<SeenResponse | null> {
  const raw = createRawServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(stream, 'latin1'));
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  const { port: rawPort } = raw.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const outgoing = get({ host: '127.0.0.1', port: rawPort, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', () => resolve(null));
        incoming.on('end', () => {
          const body = Buffer.concat(chunks).toString('latin1');
          resolve({ status: incoming.statusCode, fields: incoming.rawHeaders, body });
        });
      });
      outgoing.on('error', () => resolve(null));
    });
  } finally {
    raw.close();
  }
}

describe('llhttp, as a client,', () => {
  it('reads the same response in any stream that both accept', async () => {
    let both = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(response, damaged(response)), async (stream) => {
        const { messages, end } = responsesIn(cutAt(stream, [5, 33]), ['GET'], LIMITS);
        const final = messages.at(-1);
        if (end.kind !== 'complete' || final?.start.kind !== 'response' || final.start.status < 200) return;
        const theirs = await responseByLlhttp(stream);
        if (theirs === null) return;
        both += 1;
        expect(theirs).toEqual({ status: final.start.status, fields: final.fields.flat(), body: final.body });
      }),
      { numRuns: 200 },
    );
    expect(both).toBeGreaterThan(30);
  });
});
