/** What a client may send to /local/*, and that none of it costs more than its own request. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChangeRefused, type LocalNode } from '../../local-cluster/documents.ts';
import { type ClusterControls, createLocalApi } from '../../local-cluster/local-api.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';

const NODE: LocalNode = {
  agentId: 'S1',
  hostname: '127.0.9.1',
  ip: '127.0.9.1',
  public: false,
  http: 'http://127.0.9.1:4140',
  admin: 'http://127.0.9.1:9990',
};

let server: Server;
let url: string;
const done: string[] = [];

const controls: ClusterControls = {
  processes: () => [{ role: 'task', pid: 7, agentId: 'S1', taskId: 't', appId: '/web', startedAt: 'now' }],
  addAgent: async (request) => {
    if (request.ip === NODE.ip) throw new ChangeRefused(409, `${NODE.ip} is taken`);
    done.push(`add ${JSON.stringify(request)}`);
    return NODE;
  },
  removeAgent: async (id) => id === 'S1' && done.push(`remove ${id}`) > 0,
  stopAgent: (id) => id === 'S1' && done.push(`stop ${id}`) > 0,
  startAgent: (id) => id === 'S1' && done.push(`start ${id}`) > 0,
  rebootAgent: async (id) => id === 'S1' && done.push(`reboot ${id}`) > 0,
  controlLinks: () => [{ agentId: 'S1', mode: 'drop', hit: 2 }],
  linkMode: (id, mode) => id === 'S1' && done.push(`link ${id} ${mode}`) > 0,
  exceedMemory: (id) => id === 't' && done.push(`exceed ${id}`) > 0,
  failover: async ({ redirectMs, recoveryMs }) => {
    done.push(`failover ${redirectMs} ${recoveryMs}`);
  },
};

beforeAll(async () => {
  const api = createLocalApi(controls, '/nowhere');
  server = createServer((request, response) => {
    if (!api(request, response)) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('lists the processes', async () => {
  expect(await getJson(`${url}/local/processes`)).toEqual(controls.processes());
  expect((await send(`${url}/local/processes/`)).status).toBe(200);
});

it('changes agents and the master, each with 202 and {}', async () => {
  for (const [method, path, what] of [
    ['DELETE', '/local/agents/S1', 'remove S1'],
    ['POST', '/local/agents/S1/stop', 'stop S1'],
    ['POST', '/local/agents/S1/start', 'start S1'],
    ['POST', '/local/agents/S1/restart', 'reboot S1'],
    ['POST', '/local/tasks/t/exceed-memory', 'exceed t'],
    ['POST', '/local/master/failover', 'failover 0 0'],
  ] as const) {
    const answer = await send(url + path, { method });
    expect([answer.status, answer.body], path).toEqual([202, '{}']);
    expect(done.at(-1)).toBe(what);
  }
});

it('spoils the control stream of an agent', async () => {
  const answer = await sendJson('POST', `${url}/local/control-link`, { agentId: 'S1', mode: 'blackhole' });
  expect([answer.status, answer.body]).toEqual([202, '{}']);
  expect(done.at(-1)).toBe('link S1 blackhole');
  expect(await getJson(`${url}/local/control-link`)).toEqual(controls.controlLinks());
});

it('fails over through the stages of a master that is started again', async () => {
  await sendJson('POST', `${url}/local/master/failover`, { redirectMs: 500, recoveryMs: 20 });
  expect(done.at(-1)).toBe('failover 500 20');
});

it('adds an agent with a wish, or with none', async () => {
  const wish = { public: true, cpus: 2, mem: 100, attributes: { rack: 'r1', row: 3 } };
  const answer = await sendJson('POST', `${url}/local/agents`, wish);
  expect([answer.status, JSON.parse(answer.body)]).toEqual([201, NODE]);
  expect(done.at(-1)).toBe(`add ${JSON.stringify({ ...wish, attributes: { rack: 'r1', row: '3' } })}`);
  expect((await send(`${url}/local/agents`, { method: 'POST' })).status).toBe(201);
  await sendJson('POST', `${url}/local/agents`, { ports: '31000-31999,9990-9990' });
  const ports = [
    { begin: 31_000, end: 31_999 },
    { begin: 9990, end: 9990 },
  ];
  expect(done.at(-1)).toBe(`add ${JSON.stringify({ ports })}`);
});

it.each<[string, string, string | undefined, number]>([
  ['POST', '/local/agents', '{"ip":"127.0.9.1"}', 409],
  ['POST', '/local/agents', '{"ip":"localhost"}', 400],
  ['POST', '/local/agents', '{"color":"red"}', 400],
  ['POST', '/local/agents', '{"ports":"all"}', 400],
  ['POST', '/local/tasks/u/exceed-memory', '', 404],
  ['POST', '/local/agents', '{', 400],
  ['POST', '/local/agents', `{"ip":"${'x'.repeat(70_000)}"}`, 413],
  ['DELETE', '/local/agents/S9', undefined, 404],
  ['POST', '/local/agents/S9/restart', undefined, 404],
  ['POST', '/local/control-link', '{"agentId":"S9","mode":"off"}', 404],
  ['POST', '/local/control-link', '{"agentId":"S1","mode":"slow"}', 400],
  ['POST', '/local/agents/S1/explode', undefined, 404],
  ['POST', '/local/master/explode', undefined, 404],
  ['POST', '/local/master/failover', '{"redirectMs":-1}', 400],
  ['GET', '/local/nothing', undefined, 404],
  ['GET', '/local/%zz', undefined, 404],
  ['GET', '/local/agents/%2e%2e/%00', undefined, 404],
  ['GET', '/local/artifacts/..%2fpackage.json', undefined, 404],
  ['GET', '/local/', undefined, 404],
  ['GET', '/elsewhere', undefined, 418],
])('%s %s with %s is %i', async (method, path, body, status) => {
  const answer = await send(url + path, { method, ...(body === undefined ? {} : { body }) });
  expect(answer.status).toBe(status);
});

it('survives a request target that is no URL', async () => {
  const { port } = new URL(url);
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.end('GET // HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    );
    let got = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      got += chunk;
    });
    socket.on('end', () => resolve(got));
    socket.on('error', reject);
  });
  expect(text).toMatch(/^HTTP\/1\.1 418/);
});
