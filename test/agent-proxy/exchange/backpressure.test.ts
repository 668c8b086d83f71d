/** Long bodies stream both ways and pile up nowhere: who is slower makes the other wait. */
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { useStaticProxy } from '../../fixtures/proxy.ts';
import { rawClient, useRawBackend } from '../../fixtures/raw-socket.ts';
import { server, straight } from '../../fixtures/static-config.ts';

const MB = 1024 * 1024;
const TOTAL_MB = 200;
const PIECE = Buffer.alloc(MB / 4, 'p');

/** The most bytes that were in use while something ran, above those at its beginning. */
async function growthDuring(act: () => Promise<void>): Promise<number> {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  global.gc?.();
  const before = used();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, used());
  }, 5);
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  return most - before;
}

test('a client that reads nothing makes its server wait, soon', async () => {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  client.socket.pause();
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL_MB * MB}\r\n\r\n`);
  await upstream.fill('x'.repeat(MB / 8), 40 * MB);
});

/** A client that reads nothing until its socket is resumed, and its server, which has said how much is to come. */
async function useHeld(bodyTimeoutMs: number, bytes: number) {
  const app = await useRawBackend();
  const proxy = await useStaticProxy(straight({ web: app.port }, server({ nodemesh: { bodyTimeoutMs } })));
  const client = rawClient(proxy.url, 'GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  client.socket.pause();
  const upstream = await app.connection(0);
  await upstream.has('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
  return { proxy, client, upstream };
}

test('a client that takes nothing of its answer for too long is cut off, and its server with it', async () => {
  const { proxy, upstream } = await useHeld(300, TOTAL_MB * MB);
  await upstream.fill('x'.repeat(MB / 8), 40 * MB);
  await eventually('its server is let go', () => upstream.isClosed || upstream.hasEnded);
  await eventually('it is told', () => proxy.lines.some((line) => line.includes('client-gone')));
});

test('a client that takes a little now and then, and a server that pauses, are left alone', async () => {
  // What is asserted is that nothing happens: each wait is far below the timeout or above it.
  const timeoutMs = 1_000;
  const { client, upstream } = await useHeld(timeoutMs, 20 * MB + 3);
  upstream.send('x'.repeat(20 * MB));
  // Once it reads, its kernel takes megabytes at a time.
  for (let count = 0; count < 6; count += 1) {
    await sleep(timeoutMs / 4);
    client.socket.resume();
    await sleep(5);
    client.socket.pause();
  }
  client.socket.resume();
  await sleep(1.5 * timeoutMs);
  upstream.send('end');
  await client.endsWith('end');
});

test('a server that reads nothing makes its client wait, soon', async () => {
  const app = await useRawBackend(({ socket }) => void socket.pause());
  const proxy = await useStaticProxy(straight({ web: app.port }));
  const client = rawClient(proxy.url, `POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${TOTAL_MB * MB}\r\n\r\n`);
  await client.fill('x'.repeat(MB / 8), 40 * MB);
});

test('200 MB pass to a client that is slower than its server, in little memory', async () => {
  const backend = await useBackend('long', {
    raw: (_request, response) => {
      response.writeHead(200, { 'Content-Length': TOTAL_MB * MB });
      let sent = 0;
      const go = (): void => {
        while (sent < TOTAL_MB * MB) {
          sent += PIECE.length;
          if (!response.write(PIECE)) {
            response.once('drain', go);
            return;
          }
        }
        response.end();
      };
      go();
    },
  });
  const proxy = await useStaticProxy(straight({ web: backend.port }));
  let got = 0;
  const growth = await growthDuring(
    () =>
      new Promise((resolve, reject) => {
        const asked = httpRequest(proxy.url, { headers: { Host: 'web' }, agent: false }, (response) => {
          response.on('data', (piece: Buffer) => {
            got += piece.length;
            // Slower than what comes, for a while.
            if (got < 20 * MB && Math.random() < 0.02) {
              response.pause();
              void sleep(20).then(() => response.resume());
            }
          });
          response.on('end', resolve);
          response.on('error', reject);
        });
        asked.on('error', reject);
        asked.end();
      }),
  );
  expect(got).toBe(TOTAL_MB * MB);
  expect(growth).toBeLessThan(100 * MB);
}, 40_000);

test('200 MB pass to a server that is slower than its client, in little memory', async () => {
  let got = 0;
  const backend = await useBackend('counting', {
    raw: (request, response) => {
      request.on('data', (piece: Buffer) => {
        got += piece.length;
        if (got < 20 * MB && Math.random() < 0.02) {
          request.pause();
          void sleep(20).then(() => request.resume());
        }
      });
      request.on('end', () => response.end('all'));
    },
  });
  const proxy = await useStaticProxy(straight({ web: backend.port }));
  let sent = 0;
  const growth = await growthDuring(
    () =>
      new Promise((resolve, reject) => {
        const asked = httpRequest(proxy.url, { method: 'POST', headers: { Host: 'web' }, agent: false }, (response) => {
          response.resume().on('end', resolve);
        });
        asked.on('error', reject);
        const go = (): void => {
          while (sent < TOTAL_MB * MB) {
            sent += PIECE.length;
            if (!asked.write(PIECE)) {
              asked.once('drain', go);
              return;
            }
          }
          asked.end();
        };
        go();
      }),
  );
  expect(got).toBe(TOTAL_MB * MB);
  expect(growth).toBeLessThan(100 * MB);
}, 40_000);
