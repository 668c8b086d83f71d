/** Where the master is: fixed ones, a leader that changes, none at all. Real sockets; the source is the test's. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createOperator,
  createSubscription,
  type DownKind,
  encodeRecord,
  fixedMaster,
  type Subscription,
  type SubscriptionOptions,
} from '../../../framework/mesos-http-client/index.ts';
import type { Event } from '../../../framework/mesos-http-client/messages.ts';
import { ScriptedMaster, TestSource, until } from './scripted-master.ts';

let a: ScriptedMaster;
let b: ScriptedMaster;
let subscription: Subscription | null = null;
let events: Event['type'][];
let downs: { reason: string; wasSubscribed: boolean; kind: DownKind }[];

beforeEach(async () => {
  a = await new ScriptedMaster().start();
  b = await new ScriptedMaster().start();
  events = [];
  downs = [];
});

afterEach(async () => {
  subscription?.close();
  subscription = null;
  await a.stop();
  await b.stop();
});

function open(masters: SubscriptionOptions['masters'], more: Partial<SubscriptionOptions> = {}): Subscription {
  subscription = createSubscription({
    masters,
    frameworkId: null,
    frameworkInfo: () => ({ user: 'root', name: 'f' }),
    onEvent: (event) => {
      events.push(event.type);
    },
    onDown: (reason, wasSubscribed, kind) => downs.push({ reason, wasSubscribed, kind }),
    random: () => 0,
    ...more,
  });
  subscription.open();
  return subscription;
}

const subscriptions = (count: number) => () => events.filter((type) => type === 'SUBSCRIBED').length === count;
const hostOf = (master: ScriptedMaster): string => new URL(master.url).host;

describe('fixed masters', () => {
  test.each([
    ['http://a:5050', ['http://a:5050']],
    ['http://a:5050/', ['http://a:5050']],
    ['a:5050', ['http://a:5050']],
    ['http://a:5050,b:5050', ['http://a:5050', 'http://b:5050']],
    ['https://a:5050, b:5050', ['https://a:5050', 'https://b:5050']],
  ])('%s', (text, urls) => {
    expect(fixedMaster(text).current()).toEqual(urls);
  });

  test.each(['', 'ftp://a', 'http://a:99999', 'http://a:5050,', 'http://a/?x'])('%j is none', (text) => {
    expect(() => fixedMaster(text)).toThrow(/is not a URL like/);
  });

  test('a password in the URL is refused and not quoted', () => {
    expect(() => fixedMaster('http://me:geheim@a:5050')).toThrow(/^(?!.*geheim).*principal and a secret/);
  });

  test('S7 are tried one after the other, and whoever does not lead names the leader', async () => {
    const dead = await new ScriptedMaster().start();
    await dead.stop();
    a.onSubscribe = (_received, response) =>
      response.writeHead(307, { location: `//${hostOf(b)}/master/api/v1/scheduler` }).end();
    const sub = open(fixedMaster(`${dead.url},${hostOf(a)}`));
    await until(subscriptions(1));
    expect(downs).toEqual([]);
    expect(a.received.map((one) => one.path)).toEqual(['/api/v1/scheduler']);
    expect(b.received.map((one) => one.path)).toEqual(['/master/api/v1/scheduler']);
    expect(b.received[0]?.body).toEqual(a.received[0]?.body);
    expect(await sub.call({ type: 'REVIVE' })).toEqual({ outcome: 'accepted' });
    expect(b.calls('REVIVE')).toHaveLength(1);
  });

  test('none of which leads are tried again, with what each has said', async () => {
    let refusals = 0;
    const later: ScriptedMaster['onSubscribe'] = (_received, response) => {
      refusals += 1;
      if (refusals > 4) a.openStream(response);
      else response.writeHead(503).end('Master has not finished recovery');
    };
    a.onSubscribe = later;
    b.onSubscribe = later;
    open(fixedMaster(`${a.url},${b.url}`));
    await until(subscriptions(1));
    expect(downs.map((down) => down.kind)).toEqual(['no-leader', 'no-leader']);
    expect(downs[0]?.reason).toMatch(/none of 2 masters leads: .*503 Master has not.*; .*503 Master has not/);
  });

  test('what a leader says against the request is not asked of the others', async () => {
    a.onSubscribe = (_received, response) => response.writeHead(400).end('Failed to validate scheduler::Call');
    open(fixedMaster(`${a.url},${b.url}`));
    await until(() => downs.length === 1);
    expect(downs[0]).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/400 Failed to validate/) });
    expect(b.received).toEqual([]);
  });

  test('S8 two that redirect to each other end an attempt after five hops at the most', async () => {
    a.onSubscribe = (_received, response) => response.writeHead(307, { location: `//${hostOf(b)}/` }).end();
    b.onSubscribe = (_received, response) => response.writeHead(307, { location: `//${hostOf(a)}/` }).end();
    open(fixedMaster(a.url));
    await until(() => downs.length === 1);
    expect(downs[0]).toMatchObject({ kind: 'no-leader', reason: expect.stringMatching(/circle/) });
    expect(a.received.length + b.received.length).toBeLessThanOrEqual(5);
  });

  test('S8 one that redirects to ever other addresses ends an attempt after five hops', async () => {
    let hops = 0;
    a.onSubscribe = (_received, response) => {
      hops += 1;
      response.writeHead(307, { location: `/hop/${hops}` }).end();
    };
    open(fixedMaster(a.url));
    await until(() => downs.length === 1);
    expect(downs[0]?.reason).toMatch(/more than 5 redirects/);
    expect(hops).toBe(6);
  });
});

describe('a leader that is watched', () => {
  test('that is not known yet is waited for without haste, and connected to at once', async () => {
    const source = new TestSource();
    open(source, { random: () => 1 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(downs.length).toBeLessThanOrEqual(2);
    expect(downs[0]).toMatchObject({ kind: 'no-leader', wasSubscribed: false });
    const from = performance.now();
    source.become(a.url);
    await until(subscriptions(1));
    expect(performance.now() - from).toBeLessThan(200);
  });

  test('S17 that changes while the stream is healthy is followed: the old stream is closed before the new is opened', async () => {
    const order: string[] = [];
    a.onSubscribe = (_received, response) => {
      a.openStream(response);
      response.on('close', () => order.push('old closed'));
    };
    b.onSubscribe = (_received, response) => {
      order.push('new opened');
      b.openStream(response);
    };
    const source = new TestSource(a.url);
    const sub = open(source);
    await until(subscriptions(1));
    const from = performance.now();
    source.become(b.url);
    expect(downs).toMatchObject([{ kind: 'moved', wasSubscribed: true }]);
    await until(subscriptions(2));
    expect(performance.now() - from).toBeLessThan(1_500);
    expect(order).toEqual(['old closed', 'new opened']);
    expect(await sub.call({ type: 'REVIVE' })).toEqual({ outcome: 'accepted' });
    expect(b.calls('REVIVE')[0]?.headers['mesos-stream-id']).toBe('stream-1');
    expect(a.calls('REVIVE')).toHaveLength(0);
  });

  test('S16 what the old leader still says after the change is not heard', async () => {
    let release = (): void => {};
    const source = new TestSource(a.url);
    open(source, {
      onEvent: (event) => {
        events.push(event.type);
        return event.type === 'RESCIND' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
      },
    });
    await until(subscriptions(1));
    // Both come in one piece: when the stream is left, the second is there and must not be heard afterwards.
    const both = [
      { type: 'RESCIND', rescind: { offer_id: { value: 'o' } } },
      { type: 'ERROR', error: { message: 'Framework failed over' } },
    ];
    a.streams[0]?.write(Buffer.concat(both.map((event) => encodeRecord(JSON.stringify(event)))));
    await until(() => events.includes('RESCIND'));
    source.become(b.url);
    await until(subscriptions(2));
    release();
    b.write({ type: 'HEARTBEAT' });
    await until(() => events.includes('HEARTBEAT'));
    expect(events).toEqual(['SUBSCRIBED', 'RESCIND', 'SUBSCRIBED', 'HEARTBEAT']);
  });

  test('S20 F9 that nobody knows any more does not cost a healthy stream, nor does the same one again', async () => {
    const source = new TestSource(a.url);
    const sub = open(source);
    await until(subscriptions(1));
    source.become();
    source.become(a.url);
    source.become();
    expect(await sub.call({ type: 'REVIVE' })).toEqual({ outcome: 'accepted' });
    a.write({ type: 'HEARTBEAT' });
    await until(() => events.includes('HEARTBEAT'));
    expect(downs).toEqual([]);
    expect(a.streams).toHaveLength(1);
  });

  test('that the stream was redirected to already is no change', async () => {
    a.onSubscribe = (_received, response) =>
      response.writeHead(307, { location: `//${hostOf(b)}/api/v1/scheduler` }).end();
    const source = new TestSource(a.url);
    open(source);
    await until(subscriptions(1));
    source.become(b.url);
    expect(downs).toEqual([]);
  });

  test('that changes while a master does not answer is tried at once', async () => {
    a.onSubscribe = () => {};
    const source = new TestSource(a.url);
    open(source);
    await until(() => a.received.length === 1);
    const from = performance.now();
    source.become(b.url);
    await until(subscriptions(1));
    expect(performance.now() - from).toBeLessThan(1_500);
    expect(downs).toEqual([]);
  });

  test('that changes while the client backs off is tried at once, and the same list again is not', async () => {
    a.onSubscribe = (_received, response) => response.writeHead(503).end();
    const source = new TestSource(a.url);
    open(source, { random: () => 1 });
    await until(() => downs.length === 5, 10);
    const asked = a.received.length;
    source.become(a.url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(a.received).toHaveLength(asked);
    const from = performance.now();
    source.become(b.url);
    await until(subscriptions(1));
    expect(performance.now() - from).toBeLessThan(1_500);
  });

  test('is not watched any more once the subscription is closed', async () => {
    const source = new TestSource(a.url);
    const sub = open(source);
    expect(source.watchers).toBe(1);
    await until(subscriptions(1));
    sub.close();
    expect(source.watchers).toBe(0);
    source.become(b.url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(b.received).toEqual([]);
  });

  test('is where operator calls go, too', async () => {
    const source = new TestSource();
    const operator = createOperator({ masters: source, onEvent: () => {}, onDown: () => {} });
    await expect(operator.getAgents()).rejects.toMatchObject({ kind: 'no-leader' });
    source.become(a.url);
    a.onCall = (_received, response) => response.end('{"type":"GET_AGENTS","get_agents":{}}');
    expect(await operator.getAgents()).toEqual({ agents: [], recovered_agents: [] });
    operator.close();
  });
});
