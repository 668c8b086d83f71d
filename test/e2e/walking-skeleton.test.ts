/** The first thing that a visitor sees: one command, and a mesh answers by name. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REASONS } from '../../agent-proxy/control/reason-codes.ts';
import { ROOT } from '../../dcos-package/build/set-up.mjs';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster, run } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';
import { SmallFramework } from '../fixtures/small-framework.ts';

const ADDRESS = String.raw`\d+\.\d+\.\d+\.\d+:\d+`;
const GOB_PATH = new RegExp(
  `^web=web\\.[^@ ]+@${ADDRESS}, word=word:word\\.[^@ ]+@${ADDRESS}, gen=gen:gen\\.[^@ ]+@${ADDRESS}$`,
);

describe('a mesh on one machine', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = (await timed('ready, 4 nodes and the demo', () => Cluster.start(41))).value;
  }, 90_000);
  afterAll(() => cluster.stop(), 30_000);

  it('prints one line of JSON with every node, private ones first', () => {
    const lines = cluster.command.stdout().trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(Object.keys(cluster.ready).sort()).toEqual(['marathon', 'mesos', 'nodes', 'ready', 'scheduler']);
    expect(cluster.ready.nodes.map(({ ip, public: isPublic }) => [ip, isPublic])).toEqual([
      ['127.0.41.1', false],
      ['127.0.41.2', false],
      ['127.0.41.3', false],
      ['127.0.41.4', true],
    ]);
    for (const node of cluster.ready.nodes) {
      expect(node).toMatchObject({
        hostname: node.ip,
        http: `http://${node.ip}:4140`,
        admin: `http://${node.ip}:9990`,
      });
    }
  });

  it('answers Host: web with 200 and the full gob-path through every node', async () => {
    for (const node of cluster.ready.nodes) {
      const answer = await cluster.ask(node, 'web');
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
      expect(answer.headers['gob-path']).toMatch(GOB_PATH);
    }
  });

  it.each(['WEB', 'web.:4140', 'Web.Marathon.Mesos.', 'web.marathon.l4lb.thisdcos.directory:80'])(
    'finds the same service by Host: %s',
    async (host) => {
      const [node] = cluster.ready.nodes;
      if (node === undefined) throw new Error('no node');
      expect((await cluster.ask(node, host)).headers['gob-path']).toMatch(GOB_PATH);
    },
  );

  it('serves an exposed app at the edge of a public node, and no other, whatever a client says of context', async () => {
    const open = cluster.ready.nodes.find((node) => node.public);
    expect(open?.edge).toBe(`http://${open?.ip}:4143`);
    const ask = (Host: string, headers = {}) => send(`${open?.edge}/`, { headers: { Host, ...headers } });
    const lure = { 'l5d-dtab': '/marathonId/web => /marathonId/gen', 'l5d-ctx-dtab': '/svc => /marathonId/gen' };
    for (const headers of [{}, lure]) {
      expect((await ask('web.example.com', headers)).headers['gob-path']).toMatch(GOB_PATH);
      for (const host of ['web', 'gen', 'gen.example.com', 'gen.marathon.mesos']) {
        expect(await ask(host, headers)).toMatchObject({ status: 404, body: expect.stringMatching(/^not-exposed: /) });
      }
    }
    const [node] = cluster.ready.nodes;
    await expect(send(`http://${node?.ip}:4143/`)).rejects.toThrow('ECONNREFUSED');
  });

  it('balances over all instances, and every one is reached', async () => {
    const seen = new Set<string>();
    await eventually(
      'three instances of gen',
      async () => {
        for (const node of cluster.ready.nodes) {
          const path = String((await cluster.ask(node, 'web')).headers['gob-path']);
          seen.add(path.split('gen=')[1] ?? '');
        }
        return seen.size === 3;
      },
      10_000,
    );
  });

  it('lists every agent as healthy, with what it runs and what is wanted', async () => {
    const nodes = await cluster.nodes();
    expect(nodes.map((node) => node.agentId).sort()).toEqual(cluster.ready.nodes.map((node) => node.agentId).sort());
    for (const node of nodes) {
      expect(node).toMatchObject({ state: 'healthy', reason: null, running: node.wanted });
      expect(node.running?.configRevision).toBeGreaterThanOrEqual(1);
      expect(node.taskId).toEqual(expect.any(String));
      expect(new Date(node.since).toISOString()).toBe(node.since);
    }
  });

  it('lists every app with its instances, and those of the tasks that run', async () => {
    const services = await cluster.services();
    expect(Object.fromEntries(services.map((row) => [row.name, row.endpoints.length]))).toEqual({
      web: 1,
      gen: 3,
      word: 3,
      'gen-growthhack': 3,
      'word-growthhack': 3,
    });
    const tasks = (await cluster.processes()).filter((row) => row.role === 'task');
    const endpoints = services.flatMap((row) => row.endpoints);
    expect(endpoints.map((row) => row.instance).sort()).toEqual(tasks.map((row) => row.taskId).sort());
    expect(endpoints.every((row) => row.healthy)).toBe(true);
  });

  it('says what was looked up, why it failed and the reason code for an unknown name', async () => {
    const [node] = cluster.ready.nodes;
    if (node === undefined) throw new Error('no node');
    const answer = await cluster.ask(node, 'nobody.example');
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('nobody.example');
    expect(answer.body).toContain('unknown-name');
    expect(decodeURIComponent(String(answer.headers['l5d-err']))).toContain('unknown-name');
  });

  it("has the proxy's ping and linkerd's metric names on every admin port", async () => {
    for (const node of cluster.ready.nodes) {
      await cluster.ask(node, 'web');
      expect((await send(`${node.admin}/admin/ping`)).body).toBe('pong');
      const { body } = await send(`${node.admin}/admin/metrics/prometheus`);
      expect(body).toMatch(/^rt:server:requests\{rt="outgoing", ?server="[^"]+"\} [1-9]/m);
      expect(body).toMatch(/^rt:service:requests\{.*service="svc\/web".*\} [1-9]/m);
    }
  });

  it('routes nested ids by their reversed, dotted and dashed names', async () => {
    const { marathon, mesos } = cluster.ready;
    const created = await sendJson('POST', `${marathon}/v2/apps`, {
      id: '/team/api',
      cmd: 'exec node demo.mjs gen',
      cpus: 0.1,
      mem: 32,
      instances: 1,
      portDefinitions: [{ port: 0, name: 'http' }],
      fetch: [{ uri: `${mesos}/local/artifacts/demo.mjs`, cache: true }],
    });
    expect(created.status).toBe(201);
    const [node] = cluster.ready.nodes;
    if (node === undefined) throw new Error('no node');
    for (const host of ['api.team', 'api.team.marathon.mesos', 'api-team.marathon.mesos']) {
      await eventually(`${host} answers`, async () => (await cluster.ask(node, host)).status === 200, 10_000);
    }
    expect((await cluster.service('team/api'))?.endpoints).toHaveLength(1);
    expect((await send(`${marathon}/v2/apps/team/api`, { method: 'DELETE' })).status).toBe(200);
    await eventually('the deleted app is gone', async () => !(await cluster.service('team/api')), 10_000);
    expect((await cluster.ask(node, 'api.team')).status).toBe(502);
  });

  it('does what the labels of an app say, and something else when they change, with the same proxies', async () => {
    const { marathon, mesos } = cluster.ready;
    const [node] = cluster.ready.nodes;
    if (node === undefined) throw new Error('no node');
    const app = {
      ...{ id: '/slow', cmd: 'exec node demo.mjs gen', cpus: 0.1, mem: 32, instances: 1 },
      env: { GOB_DELAY_MS: '400' },
      portDefinitions: [{ port: 0, name: 'http', labels: { VIP_0: '/late:80' } }],
      fetch: [{ uri: `${mesos}/local/artifacts/demo.mjs`, cache: true }],
    };
    // 409 while the deployment of the last change goes on.
    const put = (labels: Record<string, string>) =>
      eventually(
        'Marathon takes it',
        async () => (await sendJson('PUT', `${marathon}/v2/apps/slow`, { ...app, labels })).status < 300,
      );
    const proxies = async () => (await cluster.nodes()).map(({ taskId }) => taskId).sort();
    const before = await proxies();
    const errors = async () => decodeURIComponent(String((await cluster.ask(node, 'slow')).headers['l5d-err']));

    await put({ NODEMESH_ATTEMPT_TIMEOUT: '100ms', NODEMESH_TIMEOUT: 'soon' });
    await eventually('attempts end after 100 ms', async () => (await errors()).startsWith('timeout'), 10_000);
    expect(await cluster.service('slow')).toMatchObject({
      settings: { policies: [{ client: { requestAttemptTimeoutMs: 100 } }] },
      labels: [{ label: 'NODEMESH_TIMEOUT' }],
    });
    await put({ NODEMESH_ATTEMPT_TIMEOUT: '5s', HAPROXY_0_VHOST: 'slow.example' });
    await eventually('attempts have their time', async () => (await cluster.ask(node, 'slow')).status === 200, 10_000);
    expect((await cluster.ask(node, 'late.marathon.l4lb.thisdcos.directory')).status).toBe(200);
    const edge = cluster.ready.nodes.find((each) => each.edge !== undefined)?.edge ?? '';
    const atEdge = async (host: string) => (await send(edge, { headers: { Host: host } })).status;
    await eventually('the edge serves it', async () => (await atEdge('slow.example')) === 200, 10_000);
    expect([await atEdge('slow'), await atEdge('web')]).toEqual([404, 404]);
    await put({ NODEMESH_OFF: 'true' });
    await eventually('its name leads nowhere', async () => (await errors()).startsWith('unknown-name'), 10_000);
    expect(await proxies()).toEqual(before);
    await send(`${marathon}/v2/apps/slow?force=true`, { method: 'DELETE' });
    await eventually('the deleted app is gone', async () => !(await cluster.service('slow')), 10_000);
  });

  it('is alive by its health check and counts in Prometheus', async () => {
    expect(await getJson(`${cluster.scheduler}/v1/health`)).toMatchObject({ leading: true, subscribed: true });
    const { body } = await send(`${cluster.scheduler}/metrics`);
    expect(body).toMatch(/^nodemesh_\w+/m);
  });

  it("reaches another framework's task by the name that Mesos has for it, until it ends", async () => {
    const [node, host] = cluster.ready.nodes;
    if (node === undefined || host === undefined) throw new Error('two nodes were expected');
    const framework = new SmallFramework('Hello-World', cluster.ready.mesos);
    try {
      const server = "require('http').createServer((_, r) => r.end('hello')).listen(20_399, process.env.HOST)";
      await framework.launch('node__1', host.ip, 20_399, `HOST=${host.ip} exec "${process.execPath}" -e "${server}"`);
      const asked = () =>
        cluster.ask(node, 'node.example', {
          'l5d-dtab': '/svc/node.example => /#/io.nodemesh.mesos/hello-world/node',
        });
      await eventually('an answer', async () => (await asked()).body === 'hello', 10_000);
      expect(await cluster.service('#io.nodemesh.mesos/hello-world/node')).toMatchObject({
        endpoints: [{ instance: 'node__1', address: host.ip, port: 20_399, agentId: host.agentId, healthy: true }],
      });
      await framework.kill('node__1');
      await eventually('no name', async () => (await asked()).status === 502, 10_000);
    } finally {
      await framework.tearDown();
    }
  });

  it('is told about by the command line', async () => {
    for (const [word, wanted] of [
      ['nodes', '127.0.41.4'],
      ['services', 'gen-growthhack'],
    ] as const) {
      const command = run([word, '--scheduler', cluster.scheduler]);
      expect(await command.ended).toBe(0);
      expect(command.stdout()).toContain(wanted);
    }
  });

  it('has no figure in its proxies that docs/metrics.md does not tell of', async () => {
    const page = await readFile(join(ROOT, 'docs/metrics.md'), 'utf8');
    const figures = await Promise.all(
      cluster.ready.nodes.map(({ admin }) => getJson<Record<string, number>>(`${admin}/admin/metrics.json`)),
    );
    const names = figures.flatMap((each) => Object.keys(each)).map((path) => path.replace(/\.(?:[a-z]+|p\d+)$/, ''));
    expect(names.length).toBeGreaterThan(500);
    const last = new Set(names.map((path) => path.split('/').at(-1) ?? ''));
    // Those of a status, 200 or 2XX, and of a reason code are told of as a kind.
    const unknown = [...last].filter(
      (name) => !/^\d(?:\d\d|XX)$/.test(name) && !(name in REASONS) && !page.includes(name),
    );
    expect(unknown, 'tell of them in docs/metrics.md').toEqual([]);
  });

  it('has a doctor who finds nothing wrong, and knows how an app reaches the proxy of its node', async () => {
    const command = run(['doctor', '--from-app', '/web', '--scheduler', cluster.scheduler]);
    expect(await command.ended, command.stdout()).toBe(0);
    const { stdout } = command;
    expect(stdout()).toMatch(/^mesos +ok .*: Mesos 1\.12\.0 leads$/m);
    expect(stdout()).toMatch(/^framework +ok {4}nodemesh \(.+\): registered, with the roles /m);
    expect(stdout()).toMatch(/^agents +ok {4}all nodes: 4 of 4 proxies are healthy$/m);
    expect(stdout()).toMatch(/^marathon +ok .*: Marathon 1\.11\.0, followed by its events$/m);
    expect(stdout()).toMatch(/^files +(ok {4}4 proxies: each may have|warn {2}127)/m);
    expect(stdout()).toMatch(
      /^from-app +note {2}app \/web: its network is host: the proxy of its node is at \$HOST:4140$/m,
    );
    expect(stdout()).toMatch(/^ +ok {4}127\.0\.41\.\d: the proxy answers at port 4140/m);
  });

  it('carries the demo’s own traffic at about its rate', async () => {
    const { services } = await eventually(
      'traffic in the figures',
      async () => {
        const traffic = await getJson<{ services: { name: string; rps: number; successRate: number | null }[] }>(
          `${cluster.scheduler}/v1/traffic`,
        );
        return traffic.services.some((row) => row.name === 'web' && row.rps > 10) && traffic;
      },
      20_000,
    );
    expect(services.find((row) => row.name === 'web')?.successRate).toBe(1);
  });
});
