import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createSubscription,
  fixedMaster,
  type Subscription,
  type SubscriptionOptions,
} from '../../../framework/mesos-http-client/index.ts';
import { type CallBody, type Event, frameworkId, offerId } from '../../../framework/mesos-http-client/messages.ts';
import { encodeRecord } from '../../../framework/mesos-http-client/record-io.ts';
import { ScriptedMaster, SUBSCRIBED, until } from './scripted-master.ts';

let master: ScriptedMaster;
let subscription: Subscription | null = null;
let events: Event['type'][];
let downs: string[];

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  events = [];
  downs = [];
});

afterEach(async () => {
  subscription?.close();
  subscription = null;
  await master.stop();
});

function open(more: Partial<SubscriptionOptions> = {}): Subscription {
  subscription = createSubscription({
    masters: fixedMaster(master.url),
    frameworkId: null,
    frameworkInfo: () => ({ user: 'root', name: 'f' }),
    onEvent: (event) => {
      events.push(event.type);
    },
    onDown: (reason) => downs.push(reason),
    random: () => 0,
    ...more,
  });
  subscription.open();
  return subscription;
}

const revive: CallBody = { type: 'REVIVE' };
const accept: CallBody = { type: 'ACCEPT', accept: { offer_ids: [{ value: offerId('o') }] } };
const decline: CallBody = { type: 'DECLINE', decline: { offer_ids: [{ value: offerId('o') }] } };
const subscriptions = (count: number) => () => events.filter((type) => type === 'SUBSCRIBED').length === count;

describe('SUBSCRIBE', () => {
  test('T16 T17 S1 is sent with the exact media types, without a stream id and, the first time, without a framework id', async () => {
    open();
    await until(subscriptions(1));
    const [call] = master.received;
    expect(call?.path).toBe('/api/v1/scheduler');
    expect(call?.headers['content-type']).toBe('application/json');
    expect(call?.headers.accept).toBe('application/json');
    expect(call?.headers['mesos-stream-id']).toBeUndefined();
    expect(call?.body.framework_id).toBeUndefined();
    expect(call?.body.subscribe?.framework_info.id).toBeUndefined();
  });

  test('S3 of a framework with an id has it in both places, as has every later one', async () => {
    open({ frameworkId: frameworkId('f-0') });
    await until(subscriptions(1));
    expect(master.received[0]?.body.framework_id).toEqual({ value: 'f-0' });
    expect(master.received[0]?.body.subscribe?.framework_info.id).toEqual({ value: 'f-0' });
    master.streams[0]?.destroy();
    await until(subscriptions(2));
    expect(master.received.at(-1)?.body.framework_id).toEqual({ value: 'f-1' });
  });

  test('S7 follows a redirect without scheme and with another path, and so do the calls after it', async () => {
    const other = await new ScriptedMaster().start();
    const host = new URL(other.url).host;
    master.onSubscribe = (_received, response) =>
      response.writeHead(307, { location: `//${host}/master/api/v1/scheduler` }).end();
    await open().call(revive);
    await until(subscriptions(1));
    expect(await subscription?.call(revive)).toEqual({ outcome: 'accepted' });
    expect(other.received.map((one) => one.path)).toEqual(['/master/api/v1/scheduler', '/master/api/v1/scheduler']);
    subscription?.close();
    await other.stop();
  });

  test('S8 is not fooled by a master that redirects to itself, and comes in when it stops', async () => {
    const host = new URL(master.url).host;
    let redirects = 0;
    master.onSubscribe = (_received, response) => {
      redirects += 1;
      if (redirects > 6) return master.openStream(response);
      response.writeHead(307, { location: `//${host}/master/api/v1/scheduler` }).end();
    };
    open();
    await until(subscriptions(1));
    expect(downs[0]).toMatch(/circle/);
    expect(redirects).toBe(7);
  });

  test('S9 is repeated through 503s, quickly at first, until one stream stands', async () => {
    let refusals = 0;
    master.onSubscribe = (_received, response) => {
      refusals += 1;
      if (refusals <= 5) response.writeHead(503).end('Master has not finished recovery');
      else master.openStream(response);
    };
    const from = performance.now();
    open();
    await until(subscriptions(1));
    expect(performance.now() - from).toBeLessThan(3_000);
    expect(downs).toHaveLength(5);
    expect(downs[0]).toMatch(/503 Master has not finished recovery/);
    expect(master.streams).toHaveLength(1);
  });

  test.each([
    ['S4', 'Framework has been removed'],
    ['S5', 'Framework failed over'],
  ])('%s answered 200 with ERROR "%s" is over: no other attempt, no call', async (_case, message) => {
    const errors: string[] = [];
    master.onSubscribe = (_received, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(encodeRecord(JSON.stringify({ type: 'ERROR', error: { message } })));
    };
    const sub = open({ onEvent: (event) => void (event.type === 'ERROR' && errors.push(event.error.message)) });
    await until(() => errors.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(errors).toEqual([message]);
    expect(master.received).toHaveLength(1);
    expect(downs).toEqual([]);
    expect(sub.subscribed).toBe(false);
    expect((await sub.call(revive)).outcome).toBe('unreachable');
  });

  test('S5 in the middle of a stream: what waits is not sent any more', async () => {
    const sub = open();
    await until(subscriptions(1));
    master.write({ type: 'ERROR', error: { message: 'Framework failed over' } });
    await until(() => events.includes('ERROR'));
    expect((await sub.call(revive)).outcome).toBe('unreachable');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(master.received).toHaveLength(1);
  });

  test('answered with another ERROR is tried again', async () => {
    let refusals = 0;
    master.onSubscribe = (_received, response) => {
      refusals += 1;
      if (refusals === 3) return master.openStream(response);
      response.writeHead(200, { 'content-type': 'application/json' });
      const message = 'Not authorized to register framework  with roles { db }';
      response.end(encodeRecord(JSON.stringify({ type: 'ERROR', error: { message } })));
    };
    open();
    await until(subscriptions(1));
    expect(events).toEqual(['ERROR', 'ERROR', 'SUBSCRIBED']);
    expect(downs).toEqual(['the master ended the stream', 'the master ended the stream']);
  });

  test('names the roles that want no offers, as they are at each attempt', async () => {
    const suppressed: string[] = [];
    open({ suppressedRoles: () => suppressed });
    await until(subscriptions(1));
    suppressed.push('nodemesh');
    master.streams[0]?.destroy();
    await until(subscriptions(2));
    expect(master.received.map((one) => one.body.subscribe?.suppressed_roles)).toEqual([[], ['nodemesh']]);
  });
});

describe('the stream', () => {
  test('S15 is given up when nothing comes for five heartbeats, but not while other events come', async () => {
    open({ heartbeatMs: 20 });
    await until(subscriptions(1));
    const rescind = { type: 'RESCIND', rescind: { offer_id: { value: 'o' } } };
    for (let at = 0; at < 10; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      master.write(rescind);
    }
    expect(downs).toEqual([]);
    await until(subscriptions(2));
    expect(downs[0]).toMatch(/nothing heard/);
  });

  test('T12 T13 lets unknown events by, skips one that cannot be read, and is opened anew after three in a row', async () => {
    const sub = open();
    await until(subscriptions(1));
    const stream = master.streams[0];
    master.write({ type: 'SOMETHING_NEW' });
    stream?.write(encodeRecord('{broken'));
    stream?.write(encodeRecord('{broken'));
    master.write({ type: 'HEARTBEAT' });
    await until(() => events.includes('HEARTBEAT'));
    expect(sub.counters.badRecords).toBe(2);
    expect(downs).toEqual([]);
    for (let at = 0; at < 3; at += 1) stream?.write(encodeRecord('{broken'));
    await until(subscriptions(2));
    expect(downs[0]).toMatch(/3 records in a row/);
  });

  test('T9 is opened anew when its framing is broken', async () => {
    open();
    await until(subscriptions(1));
    master.streams[0]?.write('abc\n');
    await until(subscriptions(2));
    expect(downs[0]).toMatch(/not a digit/);
  });

  test('T5 that ends within a record gives no half event', async () => {
    open();
    await until(subscriptions(1));
    master.streams[0]?.end('100\n{"type":"HEARTBEAT"}');
    await until(subscriptions(2));
    expect(events).toEqual(['SUBSCRIBED', 'SUBSCRIBED']);
    expect(downs[0]).toMatch(/middle of a record/);
  });

  test('T15 has nanoseconds beyond 2^53 exact, and small ones as numbers', async () => {
    const windows: unknown[] = [];
    open({
      onEvent: (event) => {
        events.push(event.type);
        if (event.type !== 'INVERSE_OFFERS') return;
        windows.push(...event.inverse_offers.inverse_offers.map((offer) => offer.unavailability));
      },
    });
    await until(subscriptions(1));
    const offer = { id: { value: 'i' }, framework_id: { value: 'f-1' }, unavailability: 'here' };
    const text = JSON.stringify({ type: 'INVERSE_OFFERS', inverse_offers: { inverse_offers: [offer] } });
    const window = '{"start":{"nanoseconds":1795192640536518657},"duration":{"nanoseconds":3600000000000}}';
    master.streams[0]?.write(encodeRecord(text.replace('"here"', window)));
    await until(() => windows.length === 1);
    expect(windows).toEqual([
      { start: { nanoseconds: '1795192640536518657' }, duration: { nanoseconds: 3_600_000_000_000 } },
    ]);
  });

  test('S16 that was superseded is not heard any more', async () => {
    open();
    await until(subscriptions(1));
    const [old] = master.streams;
    master.onCall = (_received, response) => response.writeHead(403).end('Framework is not subscribed');
    await subscription?.call(revive);
    await until(subscriptions(2));
    old?.write(encodeRecord(JSON.stringify({ type: 'ERROR', error: { message: 'Framework failed over' } })));
    master.write({ type: 'HEARTBEAT' });
    await until(() => events.includes('HEARTBEAT'));
    expect(events).toEqual(['SUBSCRIBED', 'SUBSCRIBED', 'HEARTBEAT']);
  });

  test('is read no faster than its events are taken', async () => {
    let release = (): void => {};
    open({
      onEvent: (event) => {
        events.push(event.type);
        return event.type === 'RESCIND' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
      },
    });
    await until(subscriptions(1));
    master.write({ type: 'RESCIND', rescind: { offer_id: { value: 'o' } } });
    master.write({ type: 'HEARTBEAT' });
    await until(() => events.includes('RESCIND'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(events).not.toContain('HEARTBEAT');
    release();
    await until(() => events.includes('HEARTBEAT'));
  });
});

describe('calls', () => {
  test('T17 carry framework id and stream id, in order, over one connection', async () => {
    const sub = open();
    await until(subscriptions(1));
    const bodies: CallBody[] = Array.from({ length: 20 }, (_, index) => ({
      type: 'DECLINE',
      decline: { offer_ids: [{ value: offerId(`o${index}`) }] },
    }));
    const outcomes = await Promise.all(bodies.map((body) => sub.call(body)));
    expect(outcomes.every((one) => one.outcome === 'accepted')).toBe(true);
    const calls = master.calls('DECLINE');
    expect(calls.map((call) => call.body)).toEqual(bodies.map((body) => ({ framework_id: { value: 'f-1' }, ...body })));
    expect(calls.every((call) => call.headers['mesos-stream-id'] === 'stream-1')).toBe(true);
    expect(new Set(calls.map((call) => call.socket)).size).toBe(1);
  });

  test.each([
    [403, 'Framework is not subscribed'],
    [400, 'Framework cannot be found'],
    [400, "The stream ID 'x' included in this request didn't match the stream ID currently associated with framework"],
    [503, 'Master has not finished recovery'],
    [307, ''],
  ])('S11 S12 S13 answered %i %s renew the subscription, and what waits is not sent to it', async (status, text) => {
    const sub = open();
    await until(subscriptions(1));
    master.onCall = (_received, response) => response.writeHead(status).end(text);
    const outcomes = await Promise.all([sub.call(accept), sub.call(revive)]);
    expect(outcomes.map((one) => one.outcome)).toEqual(['resubscribe', 'unreachable']);
    await until(subscriptions(2));
    expect(master.calls('REVIVE')).toHaveLength(0);
    master.onCall = (_received, response) => response.writeHead(202).end();
    expect(await sub.call(revive)).toEqual({ outcome: 'accepted' });
    expect(master.calls('REVIVE')[0]?.headers['mesos-stream-id']).toBe('stream-2');
  });

  test('that are wrong are refused with the master’s words, and the stream stands', async () => {
    const sub = open();
    await until(subscriptions(1));
    master.onCall = (_received, response) => response.writeHead(400).end('Failed to validate scheduler::Call');
    expect(await sub.call(revive)).toEqual({
      outcome: 'refused',
      status: 400,
      text: 'Failed to validate scheduler::Call',
    });
    expect(downs).toEqual([]);
  });

  test('whose connection breaks are said again, except ACCEPT', async () => {
    const sub = open();
    await until(subscriptions(1));
    let broken = 0;
    master.onCall = (_received, response) => {
      broken += 1;
      if (broken % 2 === 1) response.destroy();
      else response.writeHead(202).end();
    };
    expect(await sub.call(revive)).toEqual({ outcome: 'accepted' });
    expect((await sub.call(accept)).outcome).toBe('unreachable');
    expect(master.calls('ACCEPT')).toHaveLength(1);
  });

  test.each([accept, decline])(
    'of type $type without an answer renew the subscription, so that no offer stays out',
    async (body) => {
      const sub = open();
      await until(subscriptions(1));
      master.onCall = (_received, response) => response.destroy();
      expect((await sub.call(body)).outcome).toBe('unreachable');
      await until(subscriptions(2));
      expect(downs).toEqual([expect.stringMatching(new RegExp(`^${body.type} got no answer from the master`))]);
    },
  );

  test('of other types without an answer leave the subscription alone', async () => {
    const sub = open();
    await until(subscriptions(1));
    master.onCall = (_received, response) => response.destroy();
    expect((await sub.call(revive)).outcome).toBe('unreachable');
    master.onCall = (_received, response) => response.writeHead(202).end();
    expect(await sub.call(revive)).toEqual({ outcome: 'accepted' });
    expect(downs).toEqual([]);
  });

  test('that find no room in the queue are dropped, and a dropped answer to an offer renews the subscription', async () => {
    const sub = open();
    await until(subscriptions(1));
    master.onCall = () => {};
    const waiting = Array.from({ length: 20_001 }, () => sub.call(revive));
    expect((await sub.call(revive)).outcome).toBe('unreachable');
    expect(downs).toEqual([]);
    expect((await sub.call(decline)).outcome).toBe('unreachable');
    expect((await Promise.all(waiting)).every((one) => one.outcome === 'unreachable')).toBe(true);
    expect(downs).toEqual([expect.stringMatching(/^DECLINE got no answer from the master \(20000 calls wait/)]);
    await until(subscriptions(2));
  });

  test('without a subscription are not sent', async () => {
    master.onSubscribe = () => {};
    const sub = open();
    expect((await sub.call(revive)).outcome).toBe('unreachable');
    expect(SUBSCRIBED.type).toBe('SUBSCRIBED');
  });
});
