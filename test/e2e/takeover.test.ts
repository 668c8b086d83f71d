/**
 * From linkerd to nodemesh on a whole cluster, while requests enter at every node: a stand-in of linkerd has the ports on each
 * agent, the scheduler comes up beside it and waits, and `nodemesh migrate takeover` goes from node to node, and back on one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster, type NodeRow, type RunningCommand, run } from '../fixtures/local-cluster.ts';
import { SteadyLoad } from '../fixtures/steady-load.ts';

const NET = 63;
const SCHEDULER = `http://127.0.${NET}.254:4180`;
/** On a machine that does much else. */
const WITHIN_MS = 45_000;
const LINKERD = `const http = require('node:http');
for (const port of [4140, 4141, 9990]) http.createServer((request, response) => response.end('linkerd')).listen(port, process.env.HOST);`;
const WEB = `require('node:http').createServer((request, response) => response.end('web')).listen(process.env.PORT0, process.env.HOST);`;

let cluster: Cluster;
let scheduler: RunningCommand;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodemesh-takeover-'));
  cluster = await Cluster.start(NET, ['--agents', '1', '--public-agents', '1', '--no-demo', '--no-scheduler']);
}, 120_000);
afterAll(async () => {
  scheduler?.child.kill('SIGTERM');
  await Promise.all([scheduler?.ended, cluster?.stop()]);
  await rm(directory, { recursive: true, force: true });
}, 60_000);

const node = (program: string): string => `exec ${process.execPath} -e "${program.replace(/\n/g, ' ')}"`;

async function create(app: object): Promise<void> {
  const answer = await sendJson('POST', `${cluster.ready.marathon}/v2/apps`, { cpus: 0.1, mem: 32, ...app });
  expect(answer.status).toBe(201);
}

const tasksOf = async (app: string): Promise<{ state: string; slaveId: string }[]> =>
  (await getJson<{ tasks: { state: string; slaveId: string }[] }>(`${cluster.ready.marathon}/v2/apps/${app}/tasks`))
    .tasks;

const nodes = (): Promise<NodeRow[]> => getJson<NodeRow[]>(`${SCHEDULER}/v1/nodes`).catch(() => []);

async function migrate(...words: string[]): Promise<string> {
  const where = [
    '--marathon',
    cluster.ready.marathon,
    '--app',
    '/linkerd',
    '--scheduler',
    SCHEDULER,
    '--poll',
    '200ms',
  ];
  const command = run(['migrate', ...words, ...where]);
  expect([await command.ended, command.stderr()]).toEqual([0, '']);
  return command.stdout();
}

it('each node goes over, one at a time, and one goes back', async () => {
  await create({
    ...{ id: '/linkerd', cmd: node(LINKERD), instances: 2, constraints: [['hostname', 'UNIQUE']], requirePorts: true },
    ...{
      acceptedResourceRoles: ['*', 'slave_public'],
      portDefinitions: [{ port: 4140 }, { port: 4141 }, { port: 9990 }],
    },
  });
  await create({ id: '/web', cmd: node(WEB), instances: 1, portDefinitions: [{ port: 0 }] });
  await eventually(
    'a linkerd on each agent',
    async () => (await tasksOf('linkerd')).filter(({ state }) => state === 'TASK_RUNNING').length === 2,
    WITHIN_MS,
  );
  scheduler = run([
    ...[
      'scheduler',
      '--master',
      cluster.ready.mesos,
      '--marathon',
      cluster.ready.marathon,
      '--state',
      `file:${directory}`,
    ],
    ...['--listen', SCHEDULER.replace('http://', '')],
  ]);
  await eventually(
    'the scheduler waits for the ports',
    async () => {
      const all = await nodes();
      return (
        all.length === 2 &&
        all.every(({ state, reason }) => state === 'pending' && reason?.includes('port 4140 is taken by task linkerd'))
      );
    },
    WITHIN_MS,
  );

  const entries = cluster.ready.nodes.map(({ ip }) => `http://${ip}:4140`);
  const load = new SteadyLoad(entries, 'web', 40);
  const before = await migrate('takeover', '--window', '1s');
  expect(before).toContain('nodemesh has 2 nodes. No node has linkerd any more: /linkerd can be deleted.');
  await load.stop();
  expect((await nodes()).map(({ state }) => state)).toEqual(['healthy', 'healthy']);
  expect(await tasksOf('linkerd')).toEqual([]);
  // Only where linkerd had gone, and until the proxy answered: never on two nodes at once.
  const outages = entries.map((entry) =>
    load.failures.filter((failure) => failure.entry === entry).map(({ atMs }) => atMs),
  );
  const spans = outages
    .filter((times) => times.length > 0)
    .map((times) => [Math.min(...times), Math.max(...times)] as const);
  spans.sort(([a], [b]) => a - b);
  for (const [index, [from]] of spans.slice(1).entries()) expect(from).toBeGreaterThan(spans[index]?.[1] ?? 0);

  const [first] = cluster.ready.nodes;
  expect(await migrate('give-back', first?.hostname ?? '')).toContain('again');
  // Without a health check a task counts as soon as it runs, and may not listen yet.
  await eventually(
    'linkerd answers',
    async () => (await send(`http://${first?.ip}:4140`, { headers: { host: 'web' } })).body === 'linkerd',
    WITHIN_MS,
  );
  expect(await tasksOf('linkerd')).toMatchObject([{ slaveId: first?.agentId }]);
}, 120_000);
