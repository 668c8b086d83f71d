/** Which proxies were away, and whether two were at the same time. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { Pings, silentTogether } from './pings.ts';

const silence = (url: string, from: number, to: number) => ({ url, from, to, why: 'refused' });

test('two are away together only where one is proven to be before and after the other', () => {
  expect(silentTogether([])).toBeNull();
  expect(silentTogether([silence('a', 0, 10), silence('b', 11, 20), silence('a', 21, 30)])).toBeNull();
  expect(silentTogether([silence('a', 0, 10), silence('a', 5, 6)])).toBeNull();
  expect(silentTogether([silence('a', 0, 10), silence('c', 20, 30), silence('b', 5, 5)])).toEqual(['a', 'b']);
});

test('a server that is away for a while was silent once', async () => {
  let answers = 200;
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(answers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const pings = new Pings([url]);
  for (const status of [200, 503, 200]) {
    answers = status;
    const before = asked;
    await eventually('three more questions', () => asked > before + 3);
  }
  const silences = await pings.stop();
  server.close();
  expect(silences).toEqual([
    { url, from: expect.any(Number), to: expect.any(Number), why: expect.stringContaining('503') },
  ]);
  expect(silences[0]?.to).toBeGreaterThan(silences[0]?.from ?? 0);
});
