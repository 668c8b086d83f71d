/** What the client keeps in memory has an end, whatever a master sends or leaves unanswered. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventDecoder, readRecord } from '../../../framework/mesos-http-client/event-decoder.ts';
import { boundedBody } from '../../../framework/mesos-http-client/http.ts';
import {
  createSubscription,
  encodeRecord,
  fixedMaster,
  type Subscription,
} from '../../../framework/mesos-http-client/index.ts';
import { agentId, type CallBody, type Event } from '../../../framework/mesos-http-client/messages.ts';
import { decodeEvent } from '../../../framework/mesos-http-client/subscription.ts';
import { ScriptedMaster, until } from './scripted-master.ts';

let master: ScriptedMaster;
let subscription: Subscription;
let events: Event['type'][];
let downs: string[];

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  events = [];
  downs = [];
  subscription = createSubscription({
    masters: fixedMaster(master.url),
    frameworkId: null,
    frameworkInfo: () => ({ user: 'root', name: 'f' }),
    onEvent: (event) => void events.push(event.type),
    onDown: (reason) => downs.push(reason),
    random: () => 0,
  });
});

afterEach(async () => {
  subscription.close();
  await master.stop();
});

const subscriptions = (count: number) => () => events.filter((type) => type === 'SUBSCRIBED').length === count;

describe('the stream', () => {
  test.each([
    ['a record above 64 MiB', `${64 * 1024 * 1024 + 1}\n`, /longer than the limit/],
    ['a length that does not end', '1'.repeat(25), /more than 20 digits/],
  ])('is left for %s before it has come', async (_what, bytes, reason) => {
    subscription.open();
    await until(subscriptions(1));
    master.streams[0]?.write(bytes);
    await until(subscriptions(2));
    expect(downs).toEqual([expect.stringMatching(reason)]);
  });

  test('is left for headers without end', async () => {
    let attempts = 0;
    master.onSubscribe = (_received, response) => {
      attempts += 1;
      if (attempts > 1) return master.openStream(response);
      response.setHeader('x-long', 'x'.repeat(100_000));
      master.openStream(response);
    };
    subscription.open();
    await until(subscriptions(1));
    expect(downs).toEqual([expect.stringMatching(/header/i)]);
  });

  test('that is refused with a text without end quotes its beginning and closes the connection', async () => {
    let closed = false;
    let attempts = 0;
    master.onSubscribe = (_received, response) => {
      attempts += 1;
      if (attempts > 1) return master.openStream(response);
      response.writeHead(400);
      response.on('close', () => (closed = true));
      const more = (): void => {
        while (!closed && response.write('x'.repeat(10_000)));
        if (!closed) response.once('drain', more);
      };
      more();
    };
    subscription.open();
    await until(subscriptions(1));
    await until(() => closed);
    expect(downs[0]?.length).toBeLessThan(2_200);
  });

  test('T11 reads an OFFERS record of 30 MB in chunks of 16 kB in linear time, with three times its memory at most', () => {
    const offer = (index: number) => ({
      id: { value: `offer-${index}` },
      framework_id: { value: 'f-1' },
      agent_id: { value: `agent-${index}` },
      hostname: `host-${index}.example`,
      resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 4 }, allocation_info: { role: 'r' } }],
      attributes: [{ name: 'filler', type: 'TEXT', text: { value: 'x'.repeat(2_700) } }],
    });
    const sizes = [4, 30].map((megabytes) => {
      const offers = Array.from({ length: megabytes * 350 }, (_, index) => offer(index));
      return Buffer.from(encodeRecord(JSON.stringify({ type: 'OFFERS', offers: { offers } })));
    });
    const [small, full] = sizes.map((stream) => {
      const decoder = new EventDecoder((record) => readRecord(record, decodeEvent));
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      let found = 0;
      const from = process.cpuUsage();
      for (let at = 0; at < stream.length; at += 16_384) {
        for (const decoded of decoder.push(stream.subarray(at, at + 16_384))) {
          if (decoded.kind === 'event' && decoded.event.type === 'OFFERS') found = decoded.event.offers.offers.length;
        }
        if (at % (1 << 20) < 16_384) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }
      const { user, system } = process.cpuUsage(from);
      return { found, cpu: user + system, memory: most / stream.length, megabytes: stream.length / 1e6 };
    });
    expect(full?.megabytes).toBeGreaterThan(29);
    expect([small?.found, full?.found]).toEqual([4 * 350, 30 * 350]);
    expect(full?.memory).toBeLessThan(3);
    // 7.5 times as long takes about as many times the time; 56 times would be quadratic. Far apart, or noise would decide.
    expect((full?.cpu ?? 0) / (small?.cpu ?? 1)).toBeLessThan(17);
  });
});

describe('calls', () => {
  const message = (bytes: number): CallBody => ({
    type: 'MESSAGE',
    message: { agent_id: { value: agentId('a') }, executor_id: { value: 'e' }, data: 'x'.repeat(bytes) },
  });

  test('that wait for a master that does not answer are bounded by bytes, too', async () => {
    subscription.open();
    await until(subscriptions(1));
    master.onCall = () => {};
    // One is on its way, 67 wait.
    const waiting = Array.from({ length: 68 }, () => subscription.call(message(1_000_000)));
    expect(await subscription.call(message(1_000_000))).toMatchObject({
      outcome: 'unreachable',
      text: expect.stringMatching(/bytes wait for the master already/),
    });
    expect(downs).toEqual([]);
    subscription.close();
    expect((await Promise.all(waiting)).every((one) => one.outcome === 'unreachable')).toBe(true);
  });

  test('make room when they are answered', async () => {
    subscription.open();
    await until(subscriptions(1));
    for (let round = 0; round < 2; round += 1) {
      const outcomes = await Promise.all(Array.from({ length: 34 }, () => subscription.call(message(1_000_000))));
      expect(outcomes.every((one) => one.outcome === 'accepted')).toBe(true);
    }
  });

  test('are answered with texts of any length, of which the beginning is kept', async () => {
    subscription.open();
    await until(subscriptions(1));
    master.onCall = (_received, response) => response.writeHead(400).end('x'.repeat(5_000_000));
    const outcome = await subscription.call({ type: 'REVIVE' });
    expect(outcome).toMatchObject({ outcome: 'refused', status: 400 });
    expect(JSON.stringify(outcome).length).toBeLessThan(2_200);
    master.onCall = (_received, response) => response.writeHead(202).end();
    expect(await subscription.call({ type: 'REVIVE' })).toEqual({ outcome: 'accepted' });
  });
});

test('an answer of the operator API is read up to a limit', async () => {
  const server = createServer((_request, response) => response.end('x'.repeat(100_000))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const get = () => client.request({ method: 'GET', path: '/' });
  expect(await boundedBody(await get(), 100_000)).toHaveLength(100_000);
  await expect(boundedBody(await get(), 99_999)).rejects.toMatchObject({ kind: 'unreadable' });
  await client.destroy();
  server.close();
});
