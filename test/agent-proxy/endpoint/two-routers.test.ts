/** A request by name from proxy to proxy, over real sockets: what arrives where, and what becomes of failures. */
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { PeerAgent, Service } from '../../../agent-proxy/control/contract.ts';
import { PEER_HEADERS } from '../../../agent-proxy/control/wire-words.ts';
import { type Backend, useBackend } from '../../fixtures/backend.ts';
import {
  endpoint,
  type FakeScheduler,
  helloFrame,
  PEER_KEY,
  snapshotFrames,
  useFakeScheduler,
} from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy } from '../../fixtures/proxy.ts';

interface Mesh {
  readonly scheduler: FakeScheduler;
  /** The proxy of agent-1 and the proxy of agent-2. */
  readonly near: RunningProxy;
  readonly far: RunningProxy;
  readonly agents: PeerAgent[];
  publish(services: readonly Service[], agents?: readonly PeerAgent[]): Promise<void>;
}

/** Two nodes under one scheduler. */
async function useMesh(): Promise<Mesh> {
  const scheduler = await useFakeScheduler();
  const near = await useProxy({ ip: '127.0.35.1', agentId: 'agent-1', schedulers: [scheduler.url] });
  const far = await useProxy({ ip: '127.0.35.2', agentId: 'agent-2', schedulers: [scheduler.url] });
  await eventually('both proxies subscribe', () => scheduler.streams.size === 2);
  const agents = [near, far].map(({ ip, incomingPort }, index) => ({
    agentId: `agent-${index + 1}`,
    address: ip,
    incomingPort,
    ready: true,
  }));
  let revision = 0;
  const publish = async (services: readonly Service[], told: readonly PeerAgent[] = agents): Promise<void> => {
    revision += 1;
    scheduler.opening = [helloFrame(), ...snapshotFrames(1, revision, services, told)];
    scheduler.send(...snapshotFrames(1, revision, services, told));
    await eventually('both proxies have the table', () =>
      ['agent-1', 'agent-2'].every(
        (id) => scheduler.reports.findLast(({ agentId }) => agentId === id)?.revision === revision,
      ),
    );
  };
  return { scheduler, near, far, agents, publish };
}

function at(service: string, instance: string, { port }: { port: number }, agent: 1 | 2) {
  return endpoint({
    service,
    instance,
    port,
    agentId: `agent-${agent}`,
    agentAddress: `127.0.35.${agent}`,
  });
}

function web(...endpoints: Service['endpoints']): Service {
  return { name: 'web', endpoints };
}

/** A port that nobody listens on. */
async function deadPort(): Promise<{ port: number }> {
  const backend = await useBackend('dead');
  await backend.kill();
  return { port: backend.port };
}

async function metric(proxy: RunningProxy, name: string): Promise<number> {
  const answer = await send(`${proxy.admin}/admin/metrics.json`);
  const figures = JSON.parse(answer.body) as Record<string, number>;
  return figures[name] ?? 0;
}

test('a request travels by name through both routers to the instance of another node', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('hello');
  await mesh.publish([web(at('web', 'web.1', backend, 2))]);

  const answer = await send(`${mesh.near.outgoing}/path?q=1`, {
    headers: { Host: 'Web.Marathon.Mesos.:80', 'l5d-ctx-thing': 'x' },
  });

  expect(answer).toMatchObject({ status: 200, body: 'hello', headers: { via: '1.1 nodemesh, 1.1 nodemesh' } });
  expect(answer.headers['l5d-nodemesh-health']).toBeUndefined();
  const [seen] = backend.received;
  expect(seen).toMatchObject({ method: 'GET', url: '/path?q=1' });
  expect(seen?.headers).toMatchObject({
    host: 'Web.Marathon.Mesos.:80',
    'l5d-ctx-thing': 'x',
    'l5d-dst-client': '/#/io.l5d.marathon/web',
    'l5d-dst-service': '/svc/web.marathon.mesos',
    via: '1.1 nodemesh, 1.1 nodemesh',
  });
  expect(seen?.headers['l5d-reqid']).toMatch(/^[0-9a-f]{16}$/);
  for (const name of Object.values(PEER_HEADERS)) expect(seen?.headers[name]).toBeUndefined();
  expect(await metric(mesh.far, `rt/incoming/server/127.0.35.2/${mesh.far.incomingPort}/requests`)).toBe(1);
  expect(await metric(mesh.near, 'rt/outgoing/direct')).toBe(0);
});

test('a body in either direction arrives whole', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('echo', { answer: (request, response) => response.end(request.body) });
  await mesh.publish([web(at('web', 'web.1', backend, 2))]);
  const body = 'a line of the body, with its number\n'.repeat(20_000);
  const answer = await send(`${mesh.near.outgoing}/`, { method: 'POST', headers: { Host: 'web' }, body });
  expect(answer.body).toBe(body);
});

test('an unknown name is answered 502 with what was looked up, where, and why it failed', async () => {
  const mesh = await useMesh();
  await mesh.publish([web()]);
  const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'nothing' } });
  expect(answer.status).toBe(502);
  expect(answer.body).toBe(
    'unknown-name: looked up /svc/nothing in the dtab of router outgoing: no service has this name\n',
  );
  expect(decodeURIComponent(String(answer.headers['l5d-err']))).toBe(answer.body.trim());
  expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  expect(answer.headers['l5d-retryable']).toBeUndefined();
});

test('a service without an instance that takes traffic is told from an unknown one', async () => {
  const mesh = await useMesh();
  await mesh.publish([web({ ...at('web', 'web.1', { port: 1 }, 2), state: 'unhealthy' })]);
  const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } });
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^no-endpoint: \/svc\/web is \/#\/io\.l5d\.marathon\/web: 1 instances of web are known/);
});

test('a proxy without a table says that it is not ready', async () => {
  const proxy = await useProxy();
  const answer = await send(`${proxy.outgoing}/`, { headers: { Host: 'web' } });
  expect(answer.status).toBe(503);
  expect(answer.headers['l5d-retryable']).toBe('true');
  expect(answer.body).toMatch(/^not-ready: /);
});

test('an instance that refuses connections costs no request, and soon gets none', async () => {
  const mesh = await useMesh();
  const alive = await useBackend('alive');
  await mesh.publish([web(at('web', 'web.1', await deadPort(), 2), at('web', 'web.2', alive, 2))]);
  for (let index = 0; index < 20; index += 1) {
    const answer = await send(`${mesh.near.outgoing}/`, { method: 'POST', headers: { Host: 'web' }, body: 'once' });
    expect(answer).toMatchObject({ status: 200, body: 'alive' });
  }
  expect(alive.received.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => 'once'));
  expect(await metric(mesh.near, 'rt/outgoing/service/svc/web/retries/total')).toBeLessThanOrEqual(3);
});

test('a service whose instances all refuse is answered 502, at once', async () => {
  const mesh = await useMesh();
  await mesh.publish([web(at('web', 'web.1', await deadPort(), 2), at('web', 'web.2', await deadPort(), 1))]);
  const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } });
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^refused: .*ECONNREFUSED/);
});

test('a refusal by the peer says each thing once, with the name in the spelling of the figures', async () => {
  const mesh = await useMesh();
  const dead = await deadPort();
  await mesh.publish([{ name: 'team/api', endpoints: [at('team/api', 'api.1', dead, 2)] }]);
  const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'API-TEAM.marathon.mesos:80' } });
  const line =
    'refused: /svc/api-team.marathon.mesos is /#/io.l5d.marathon/team/api: ' +
    `api.1 at 127.0.0.1:${dead.port}: ECONNREFUSED (said the proxy at 127.0.35.2:${mesh.far.incomingPort}): ` +
    'the connection was refused or could not be made';
  expect(answer.status).toBe(502);
  expect(answer.body).toBe(`${line}\n`);
  expect(decodeURIComponent(String(answer.headers['l5d-err']))).toBe(line);
});

test('however a name is written, it is one service in the metrics', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('hello');
  await mesh.publish([web(at('web', 'web.1', backend, 2))]);
  for (const host of ['web', 'WEB', 'Web.', 'wEb:80', 'weB.:8080']) {
    expect(await send(`${mesh.near.outgoing}/`, { headers: { Host: host } })).toMatchObject({ status: 200 });
  }
  expect(await metric(mesh.near, 'rt/outgoing/service/svc/web/requests')).toBe(5);
  const services = await send(`${mesh.near.admin}/admin/metrics.json?tree=true&q=rt/outgoing/service/svc`);
  expect(Object.keys(JSON.parse(services.body) as object)).toEqual(['web']);
});

test("a client's connections, requeues and ejections are counted, and its requests by service", async () => {
  const mesh = await useMesh();
  const alive = await useBackend('alive');
  await mesh.publish([web(at('web', 'web.1', await deadPort(), 1), at('web', 'web.2', alive, 1))]);
  for (let index = 0; index < 30; index += 1) {
    expect(await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } })).toMatchObject({ status: 200 });
  }
  const client = 'rt/outgoing/client/#/io.l5d.marathon/web';
  const query = `q=${encodeURIComponent(client)}`;
  const figures = JSON.parse((await send(`${mesh.near.admin}/admin/metrics.json?${query}`)).body) as Record<
    string,
    number
  >;
  // Both instances are behind one peer proxy, which says what it could not reach.
  const requeues = figures['retries/requeues'] ?? 0;
  expect(requeues).toBeGreaterThan(0);
  expect(requeues).toBeLessThanOrEqual(3);
  expect(figures).toMatchObject({
    connections: figures['connects'],
    'connect_latency_ms.count': figures['connects'],
    // One that refuses connections is left alone at once: no more than its first failure is needed.
    'failure_accrual/removals': 0,
    requests: 30 + requeues,
    'service/svc/web/requests': 30 + requeues,
    'service/svc/web/success': 30,
    'service/svc/web/failures': requeues,
  });
  expect(figures['connects']).toBeGreaterThan(0);
  expect(await metric(mesh.near, 'rt/outgoing/service/svc/web/retries/per_request.sum')).toBe(requeues);
  await mesh.publish([]);
  expect((await send(`${mesh.near.admin}/admin/metrics.json?${query}`)).status).toBe(404);
});

/** Reads the request, then dies. */
function dyingBackend(): Promise<Backend> {
  return useBackend('dying', { answer: (_request, response) => response.socket?.resetAndDestroy() });
}

test('an idempotent request whose instance dies without a word is sent to another', async () => {
  const mesh = await useMesh();
  const dying = await dyingBackend();
  const alive = await useBackend('alive');
  await mesh.publish([web(at('web', 'web.1', dying, 2), at('web', 'web.2', alive, 2))]);
  for (let index = 0; index < 10; index += 1) {
    const answer = await send(`${mesh.near.outgoing}/`, {
      method: 'PUT',
      headers: { Host: 'web' },
      body: `put ${index}`,
    });
    expect(answer).toMatchObject({ status: 200, body: 'alive' });
  }
  expect(dying.received.length).toBeGreaterThan(0);
  expect(alive.received.map(({ body }) => body)).toEqual(Array.from({ length: 10 }, (_, index) => `put ${index}`));
});

test('a POST whose instance dies without a word is never sent twice', async () => {
  const mesh = await useMesh();
  const dying = await dyingBackend();
  const other = await dyingBackend();
  await mesh.publish([web(at('web', 'web.1', dying, 2), at('web', 'web.2', other, 2))]);
  const answer = await send(`${mesh.near.outgoing}/`, { method: 'POST', headers: { Host: 'web' }, body: 'order' });
  expect(answer.status).toBe(502);
  expect(answer.body).toMatch(/^reset: /);
  expect(dying.received.length + other.received.length).toBe(1);
});

test('nor is it where there is no peer proxy between, while a GET is', async () => {
  const mesh = await useMesh();
  const [one, two] = [await dyingBackend(), await dyingBackend()];
  const away = mesh.agents.map((agent) => ({ ...agent, ready: false }));
  await mesh.publish([web(at('web', 'web.1', one, 2), at('web', 'web.2', two, 2))], away);
  const asked = (): number => one.received.length + two.received.length;
  expect(await send(`${mesh.near.outgoing}/`, { method: 'POST', headers: { Host: 'web' } })).toMatchObject({
    status: 502,
  });
  expect(asked()).toBe(1);
  expect(await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } })).toMatchObject({ status: 502 });
  expect(asked()).toBeGreaterThan(2);
});

test('an error of the application passes through untouched and is not retried', async () => {
  const mesh = await useMesh();
  const failing = await useBackend('failing', {
    answer: (_request, response) => response.writeHead(503, { 'l5d-retryable': 'true', 'X-Mine': 'yes' }).end('busy'),
  });
  await mesh.publish([web(at('web', 'web.1', failing, 2))]);
  const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } });
  expect(answer).toMatchObject({ status: 503, body: 'busy', headers: { 'x-mine': 'yes' } });
  expect(failing.received).toHaveLength(1);
});

test('where the proxy of an agent is not ready, the instance is gone to straight', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('straight');
  const [near, far] = mesh.agents;
  if (near === undefined || far === undefined) throw new Error('two agents');
  await mesh.publish([web(at('web', 'web.1', backend, 2))], [near, { ...far, ready: false }]);
  const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } });
  expect(answer).toMatchObject({ status: 200, body: 'straight', headers: { via: '1.1 nodemesh' } });
  expect(backend.received[0]?.headers[PEER_HEADERS.key]).toBeUndefined();
  expect(await metric(mesh.near, 'rt/outgoing/direct')).toBe(1);
});

test('where the proxy of an agent refuses connections, the instance is gone to straight, even with a body', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('straight');
  await mesh.publish([web(at('web', 'web.1', backend, 2))]);
  await mesh.far.close();
  for (let index = 0; index < 5; index += 1) {
    const answer = await send(`${mesh.near.outgoing}/`, { method: 'POST', headers: { Host: 'web' }, body: 'b' });
    expect(answer).toMatchObject({ status: 200, body: 'straight' });
  }
  expect(backend.received).toHaveLength(5);
  // The first attempt found out; the path was not tried again for each.
  expect(await metric(mesh.near, 'rt/outgoing/peer_unreachable')).toBeLessThanOrEqual(2);
});

test('the incoming router nacks an instance that is not its own, and nothing is lost by it', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('alive');
  const peer = { [PEER_HEADERS.key]: PEER_KEY, [PEER_HEADERS.bound]: '/#/io.l5d.marathon/web' };
  await mesh.publish([web(at('web', 'web.1', backend, 2))]);

  const nack = await send(`${mesh.near.incoming}/`, {
    method: 'POST',
    headers: { Host: 'web', ...peer, [PEER_HEADERS.instance]: 'web.1' },
    body: 'x',
  });
  expect(nack).toMatchObject({ status: 503, headers: { 'l5d-retryable': 'true' } });
  expect(nack.body).toMatch(/^nack: /);

  const taken = await send(`${mesh.far.incoming}/`, {
    headers: { Host: 'other', ...peer, [PEER_HEADERS.instance]: 'web.1' },
  });
  expect(taken).toMatchObject({ status: 200, body: 'alive' });
  expect(taken.headers['l5d-nodemesh-health']).toBe('inflight=1; health=1.00');
});

test('an instance is delivered to by address only for a peer with the key', async () => {
  const mesh = await useMesh();
  const [one, two] = [await useBackend('one'), await useBackend('two')];
  await mesh.publish([
    { name: 'one', endpoints: [at('one', 'one.1', one, 2)] },
    { name: 'two', endpoints: [at('two', 'two.1', two, 1)] },
  ]);
  const headers = {
    [PEER_HEADERS.key]: 'a-wrong-key-from-somewhere',
    [PEER_HEADERS.bound]: '/#/io.l5d.marathon/one',
    [PEER_HEADERS.instance]: 'one.1',
  };
  // By Host, local instances only.
  expect(await send(`${mesh.far.incoming}/`, { headers: { ...headers, Host: 'one' } })).toMatchObject({ body: 'one' });
  expect(one.received[0]?.headers[PEER_HEADERS.instance]).toBeUndefined();
  expect(await send(`${mesh.far.incoming}/`, { headers: { ...headers, Host: 'two' } })).toMatchObject({ status: 503 });
  expect(await send(`${mesh.far.incoming}/`, { headers: { ...headers, Host: 'none' } })).toMatchObject({ status: 502 });
});

test('the client that goes away takes its request upstream with it', async () => {
  const mesh = await useMesh();
  let asked = 0;
  const slow = await useBackend('slow', { answer: () => (asked += 1) });
  await mesh.publish([web(at('web', 'web.1', slow, 2))]);
  const { hostname, port } = new URL(mesh.near.outgoing);
  const client = connect(Number(port), hostname);
  client.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('the request arrives', () => asked === 1);
  client.destroy();
  await eventually('its connection is closed', () => slow.connections.size === 0);
  await eventually('it is told as client-gone', () => mesh.near.lines.some((line) => line.includes('client-gone')));
});

test('an answer that is cut in the middle is cut for the client too', async () => {
  const mesh = await useMesh();
  const cutting = await useBackend('cutting', {
    answer: (_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => response.socket?.resetAndDestroy());
    },
  });
  await mesh.publish([web(at('web', 'web.1', cutting, 2))]);
  await expect(send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } })).rejects.toThrow();
});

test('an answer streams while it is made', async () => {
  const mesh = await useMesh();
  const streaming = await useBackend('streaming', {
    answer: (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
    },
  });
  await mesh.publish([web(at('web', 'web.1', streaming, 2))]);
  const { hostname, port } = new URL(mesh.near.outgoing);
  const client = connect(Number(port), hostname);
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  client.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  await eventually('the head arrives before the body', () => text.includes('\r\n\r\n'));
  client.destroy();
  await eventually('the stream is closed', () => streaming.connections.size === 0);
});

test('what the scheduler is told counts requests, failures and retries of the window', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('alive');
  await mesh.publish([web(at('web', 'web.1', await deadPort(), 2), at('web', 'web.2', backend, 2))]);
  for (let index = 0; index < 8; index += 1) await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web' } });
  const total = (key: 'requests' | 'failures' | 'retries'): number =>
    mesh.scheduler.reports
      .flatMap(({ traffic }) => traffic)
      .filter(({ router, service }) => router === 'outgoing' && service === 'web')
      .reduce((sum, row) => sum + row[key], 0);
  await eventually('all eight are told', () => total('requests') === 8);
  expect(total('failures')).toBe(0);
  expect(total('retries')).toBeGreaterThanOrEqual(0);
});

test('what one branch of a union refuses and another one answers is told as a failure of the first', async () => {
  const mesh = await useMesh();
  const backend = await useBackend('alive');
  const service = (name: string, to: { port: number }): Service => ({
    name,
    endpoints: [at(name, `${name}.1`, to, 1)],
  });
  await mesh.publish([service('old', backend), service('new', await deadPort())]);
  const dtab = '/svc/web => 1 * /#/io.l5d.marathon/old & 9 * /#/io.l5d.marathon/new';
  for (let index = 0; index < 20; index += 1) {
    const answer = await send(`${mesh.near.outgoing}/`, { headers: { Host: 'web', 'l5d-dtab': dtab } });
    expect(answer).toMatchObject({ status: 200, body: 'alive' });
  }
  const told = (name: string) =>
    mesh.scheduler.reports
      .flatMap(({ traffic }) => traffic)
      .filter(({ router, service: one }) => router === 'outgoing' && one === name)
      .reduce((sum, row) => ({ all: sum.all + row.requests, failed: sum.failed + row.failures }), {
        all: 0,
        failed: 0,
      });
  await eventually('all are told', () => told('old').all === 20);
  expect(told('old').failed).toBe(0);
  expect(told('new').failed).toBeGreaterThan(5);
  expect(told('new').all).toBe(told('new').failed);
});

test('an instance that dies under 200 requests a second that enter at both nodes costs none of them', async () => {
  const mesh = await useMesh();
  const slowly = {
    answer: (_request: unknown, response: ServerResponse) => void setTimeout(() => response.end('ok'), 10),
  };
  const [one, two, three] = [
    await useBackend('1', slowly),
    await useBackend('2', slowly),
    await useBackend('3', slowly),
  ];
  const rows = [at('web', 'web.1', one, 1), at('web', 'web.2', two, 2), at('web', 'web.3', three, 2)];
  await mesh.publish([web(...rows)]);
  const answers: Promise<number>[] = [];
  for (let tick = 0; tick < 300; tick += 1) {
    const entry = tick % 2 === 0 ? mesh.near : mesh.far;
    answers.push(
      send(`${entry.outgoing}/${tick}`, { headers: { Host: 'web' } }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    if (tick === 100) void two.kill();
    if (tick === 130) void mesh.publish([web(...rows.filter(({ instance }) => instance !== 'web.2'))]);
    await sleep(5);
  }
  const statuses = await Promise.all(answers);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(two.received.length).toBeGreaterThan(20);
});
