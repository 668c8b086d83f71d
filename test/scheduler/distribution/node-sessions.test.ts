/** Sessions over real HTTP with a clock that tests move: what is dropped, repaired and kept alive, and when. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Report, type Service, type Subscribe, subscribeSchema } from '../../../agent-proxy/control/contract.ts';
import { Feed } from '../../../scheduler/distribution/feed.ts';
import { NodeSessions } from '../../../scheduler/distribution/node-sessions.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { ControlClient } from '../support/control-client.ts';

let now: number;
let feed: Feed;
let sessions: NodeSessions;
let server: Server;
let events: string[];
/** So many are known. */
let nodes: number;
let clients: ControlClient[];

beforeEach(async () => {
  now = 1_000_000;
  events = [];
  nodes = 0;
  clients = [];
  feed = new Feed(4);
  sessions = new NodeSessions({
    feed,
    peerKey: 'peer-key-of-the-cluster',
    schedulers: ['http://127.0.36.1:4180'],
    nodes: () => nodes,
    configFor: () => ({ revision: 1, document: {} }),
    now: () => now,
    hooks: {
      told: (session) => events.push(`${session.taskId} ${session.health.kind}`),
      gone: (session) => events.push(`${session.taskId} gone`),
      reported: () => undefined,
      repaired: (session, why) => events.push(`${session.taskId} repaired ${why}`),
    },
  });
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.url === '/control/v1/report') {
        response.writeHead(sessions.report(JSON.parse(body) as Report) ? 204 : 409).end();
        return;
      }
      const outcome = sessions.subscribe(subscribeSchema.parse(JSON.parse(body)), response);
      if (outcome.kind !== 'accepted') response.writeHead(409).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const client of clients) client.close();
  sessions.close();
  await new Promise((resolve) => server.close(resolve));
});

function connect(taskId: string, given: Partial<Subscribe> = {}): ControlClient {
  const client = new ControlClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    agentId: `agent-${taskId}`,
    taskId,
    ...given,
  });
  clients.push(client);
  return client;
}

async function connected(taskId: string): Promise<ControlClient> {
  const client = connect(taskId);
  await eventually('hello', () => client.session);
  return client;
}

function service(name: string, endpoints: number, port = 20_000): Service {
  return {
    name,
    endpoints: Array.from({ length: endpoints }, (_, index) => ({
      service: name,
      instance: `${name}.${index}`,
      address: '127.0.36.1',
      port,
      ports: [],
      agentId: 'S1',
      agentAddress: '127.0.36.1',
      weight: 1,
      state: 'ready' as const,
      startedAt: null,
      labels: {},
    })),
  };
}

const linkOf = (taskId: string): 'open' | 'gone' => (sessions.get(taskId)?.connected ? 'open' : 'gone');

/** Time passes as it does for the scheduler: in ticks. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += 250) {
    now += 250;
    sessions.tick();
  }
}

describe('a session', () => {
  test('gets a heartbeat a second, in order with the deltas', async () => {
    sessions.open();
    const client = await connected('p1');
    await client.report();
    pass(1_000);
    feed.setService(service('web', 1));
    sessions.broadcast(feed.commit());
    pass(1_000);
    await eventually('two beats', () => client.frames('heartbeat').length === 2);
    const types = client.reader.frames.map((frame) => frame.type);
    expect(types).toEqual(['hello', 'config', 'snapshot-begin', 'snapshot-end', 'heartbeat', 'delta', 'heartbeat']);
    expect(client.frames('heartbeat').map((beat) => beat.revision)).toEqual([1, 2]);
    for (const frame of client.reader.frames) expect(frame.epoch).toBe(4);
  });

  test('of one of thousands gets heartbeats less often, and says so at its beginning', async () => {
    nodes = 10_000;
    sessions.open();
    const client = await connected('p1');
    expect(client.frames('hello')[0]).toMatchObject({ heartbeatMs: 4_000, reportMs: 7_000 });
    for (let second = 1; second <= 9; second++) pass(1_000);
    await eventually('two beats', () => client.frames('heartbeat').length >= 2);
    expect(client.frames('heartbeat')).toHaveLength(2);
  });

  test('that waits for the first table gets heartbeats of revision 0, no deltas, and then one snapshot', async () => {
    const client = await connected('p1');
    feed.setService(service('web', 1));
    sessions.broadcast(feed.commit());
    pass(1_000);
    sessions.open();
    sessions.open();
    await eventually('the table', () => client.table.service('web'));
    expect(client.reader.frames.map((frame) => frame.type)).toEqual([
      'hello',
      'config',
      'heartbeat',
      'snapshot-begin',
      'services',
      'snapshot-end',
    ]);
    expect(client.frames('heartbeat')[0]?.revision).toBe(0);
  });

  test('that reports a wrong digest after a while is repaired', async () => {
    sessions.open();
    const client = await connected('p1');
    await eventually('the table', () => client.table.ready);
    for (let second = 0; second < 12; second++) {
      await client.report({ digest: 'ffffffffffffffff' });
      pass(1_000);
    }
    expect(events.filter((event) => event === 'p1 repaired digest')).toHaveLength(2);
    await eventually('the fresh tables', () => client.frames('snapshot-end').length === 3);
    await client.report();
    pass(1_000);
    await client.report();
    expect(events.filter((event) => event === 'p1 repaired digest')).toHaveLength(2);
  });

  test('that is silent is dropped, and gone 3 s later', async () => {
    sessions.open();
    const client = await connected('p1');
    await client.report();
    pass(4_000);
    expect(client.ended).toBe(false);
    pass(1_500);
    await eventually('the end', () => client.ended);
    pass(2_500);
    expect(events).toEqual(['p1 connecting', 'p1 ready']);
    pass(1_000);
    expect(events).toEqual(['p1 connecting', 'p1 ready', 'p1 gone']);
    expect(sessions.size).toBe(0);
    expect(await client.report()).toBe(409);
  });

  test('whose reader takes nothing for 10 s is dropped, however little waits', async () => {
    sessions.open();
    const slow = await connected('slow');
    slow.pause();
    for (let round = 0; round < 400; round++) {
      feed.setService(service('web', 100, 20_000 + (round % 2)));
      sessions.broadcast(feed.commit());
      if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let second = 0; second < 8; second++) {
      await slow.report();
      pass(1_000);
    }
    const before = linkOf('slow');
    for (let second = 0; second < 4; second++) {
      await slow.report();
      pass(1_000);
    }
    expect([before, linkOf('slow')]).toEqual(['open', 'gone']);
  });

  test('is told as refused to a proxy that has seen a later epoch', async () => {
    const client = new ControlClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      agentId: 'a',
      taskId: 't',
      epoch: 5,
    });
    clients.push(client);
    await eventually('the answer', () => client.ended);
    expect(client.status).toBe(409);
    expect(sessions.size).toBe(0);
  });
});

describe('a proxy that has a table', () => {
  const RESUMES = { accepts: ['resume'] };

  /** As a proxy that was away: it has the table that the feed had. */
  async function away(): Promise<{ revision: number; tableDigest: string }> {
    feed.setService(service('web', 3));
    sessions.broadcast(feed.commit());
    sessions.open();
    const client = await connected('p1');
    await eventually('its table', () => client.table.service('web'));
    client.close();
    return { revision: client.table.revision, tableDigest: client.table.digest() };
  }

  test('gets the deltas that it lacks, and no snapshot', async () => {
    const had = await away();
    feed.setService(service('web', 4));
    sessions.broadcast(feed.commit());
    feed.setService(service('web', 5));
    sessions.broadcast(feed.commit());
    const client = connect('p1', { ...RESUMES, epoch: 4, ...had });
    await eventually('what it lacks', () => client.frames('delta').length === 2);
    const types = client.reader.frames.map((frame) => frame.type);
    expect(types).toEqual(['hello', 'config', 'resume', 'delta', 'delta']);
    expect(client.frames('resume')).toEqual([{ type: 'resume', epoch: 4, revision: had.revision }]);
    expect(client.frames('delta').at(-1)?.revision).toBe(feed.revision);
    expect(sessions.distribution()).toEqual({ snapshots: 1, resumes: 1, waiting: 0 });
  });

  test('of another leader goes on where that table is the same', async () => {
    feed.setService(service('web', 3));
    sessions.broadcast(feed.commit());
    const client = connect('p1', { ...RESUMES, epoch: 3, revision: 977, tableDigest: feed.digest() });
    await eventually('hello', () => client.session);
    expect(client.frames('resume')).toEqual([]);
    sessions.open();
    await eventually('how it goes on', () => client.frames('resume').length === 1);
    expect(client.frames('resume')).toEqual([{ type: 'resume', epoch: 4, revision: 2 }]);
    await client.report({ revision: 2, digest: feed.digest() });
    expect(sessions.get('p1')?.sync).toMatchObject({ revision: 2, digestOk: true, repairs: 0 });
  });

  test.each([
    ['does not know the frame', { accepts: ['gzip'] }],
    ['has another table', { accepts: ['resume'], tableDigest: '0123456789abcdef' }],
  ])('gets a snapshot where it %s', async (_name, given) => {
    const had = await away();
    const client = connect('p1', { epoch: 4, ...had, ...given });
    await eventually('a snapshot', () => client.frames('snapshot-end').length === 1);
    expect(client.frames('resume')).toEqual([]);
    expect(client.table.digest()).toBe(feed.digest());
  });
});

describe('snapshots', () => {
  test('are compressed for who takes that, and the same', async () => {
    for (let k = 0; k < 40; k++) feed.setService(service(`app-${k}`, 50, 20_000 + k));
    sessions.broadcast(feed.commit());
    sessions.open();
    const plain = connect('plain');
    const zipped = connect('zipped', { accepts: ['gzip'] });
    await eventually('both tables', () => plain.table.ready && zipped.table.ready);
    expect(zipped.reader.frames.slice(2)).toEqual(plain.reader.frames.slice(2));
    expect(zipped.table.digest()).toBe(feed.digest());
    const bytes = (client: ControlClient) => client.reader.sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes(zipped)).toBeLessThan(bytes(plain) / 5);
  });
});

describe('an upgrade', () => {
  const wanted = { url: 'http://127.0.36.1/x', sha256: 'a'.repeat(64), version: '2', codeSha256: 'b'.repeat(64) };
  const codeSha256 = 'c'.repeat(64);

  test('is sent to a proxy that says which code it runs, and what becomes of it is in its session', async () => {
    const client = connect('p1', { codeSha256 });
    await eventually('hello', () => client.session);
    expect(sessions.get('p1')?.running).toEqual({ version: '0.1.0', codeSha256, upgrade: null });
    expect(sessions.upgrade('p1', wanted)).toEqual({ kind: 'sent' });
    await eventually('the frame', () => client.frames('upgrade').length === 1);
    expect(client.frames('upgrade')).toEqual([{ type: 'upgrade', epoch: 4, ...wanted }]);
    const upgrade = { state: 'proving', codeSha256: wanted.codeSha256, reason: null } as const;
    await client.report({ version: '2', codeSha256: wanted.codeSha256, upgrade });
    expect(sessions.get('p1')?.running).toEqual({ version: '2', codeSha256: wanted.codeSha256, upgrade });
    // The new worker subscribes before it reports.
    const next = connect('p1', { version: '2', codeSha256: wanted.codeSha256 });
    await eventually('hello', () => next.session);
    expect(sessions.get('p1')?.running.upgrade).toEqual(upgrade);
  });

  test('is not sent to who would not understand it, or is not there', async () => {
    const client = connect('old');
    await eventually('hello', () => client.session);
    expect(sessions.upgrade('old', wanted)).toEqual({
      kind: 'not-sent',
      reason: 'version 0.1.0 of the proxy cannot be upgraded in place',
    });
    expect(sessions.upgrade('nobody', wanted)).toMatchObject({ kind: 'not-sent' });
    client.close();
    await eventually('the end of the stream', () => sessions.get('old')?.connected === false);
    expect(sessions.upgrade('old', wanted)).toEqual({
      kind: 'not-sent',
      reason: 'the proxy has no control stream now',
    });
  });
});
