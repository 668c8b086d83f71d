/** The control plane may be down or move: no request is lost, no proxy restarts, and all streams come back. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../agent-proxy/control/code-archive.ts';
import { writeArchive } from '../../scheduler/proxy/archive.ts';
import { eventually } from '../fixtures/eventually.ts';
import { getJson, send } from '../fixtures/http.ts';
import { Cluster, COMMAND, type ProcessRow, type RunningCommand, run } from '../fixtures/local-cluster.ts';
import { figure, timed } from '../fixtures/measure.ts';
import { type Failure, SteadyLoad } from '../fixtures/steady-load.ts';

const DIST = dirname(COMMAND);
/** A proxy whose callers never pause serves them for most of this time when it is told to end. */
const CONFIG = Buffer.from('admin: { shutdownGraceMs: 1500 }').toString('base64');

describe('a scheduler that is killed', () => {
  let cluster: Cluster;
  let load: SteadyLoad;

  beforeAll(async () => {
    cluster = await Cluster.start(45, ['--load', '0']);
    load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'web',
      100,
    );
  }, 90_000);
  afterAll(async () => {
    await load.stop();
    await cluster.stop();
  }, 30_000);

  it('is back at once: no request fails, same framework id, no proxy restarted, all streams within 5 s', async () => {
    await eventually('the load runs', () => load.succeeded > 100, 10_000);
    const frameworkId = await cluster.frameworkId();
    const proxies = await proxyRows(cluster);
    const scheduler = (await cluster.processes()).find((row) => row.role === 'scheduler');
    if (scheduler === undefined) throw new Error('no scheduler process');
    await timed('scheduler killed → all streams back', async () => {
      process.kill(scheduler.pid, 'SIGKILL');
      await eventually(
        'another scheduler process',
        async () => (await cluster.processes()).some((row) => row.role === 'scheduler' && row.pid !== scheduler.pid),
        15_000,
      );
      await eventually('all healthy', () => cluster.allHealthy(), 15_000);
    });
    expect(await cluster.frameworkId()).toBe(frameworkId);
    expect(await proxyRows(cluster)).toEqual(proxies);
    expect(load.failures).toEqual([]);
  });

  it('a master failover: the same', async () => {
    const frameworkId = await cluster.frameworkId();
    const proxies = await proxyRows(cluster);
    await timed('master failover → subscribed and all healthy', async () => {
      expect((await send(`${cluster.ready.mesos}/local/master/failover`, { method: 'POST' })).status).toBe(202);
      await eventually(
        'subscribed to the new master',
        async () => (await getJson<{ subscribed: boolean }>(`${cluster.scheduler}/v1/health`)).subscribed,
        15_000,
      );
      await eventually('every agent is back', async () => (await activeAgents(cluster)) === 4, 15_000);
      await eventually('all healthy', () => cluster.allHealthy(), 15_000);
    });
    expect(await cluster.frameworkId()).toBe(frameworkId);
    expect(await proxyRows(cluster)).toEqual(proxies);
    expect(load.failures).toEqual([]);
  });

  it('the mesh still repairs itself after both', async () => {
    const [node] = cluster.ready.nodes;
    if (node === undefined) throw new Error('no node');
    const before = await cluster.proxy(node.agentId);
    process.kill(before.pid, 'SIGKILL');
    await eventually(
      'a new healthy proxy',
      async () => {
        const row = await cluster.node(node.agentId);
        return row?.state === 'healthy' && row.taskId !== before.taskId;
      },
      15_000,
    );
  });
});

describe('a scheduler that comes back on another port, and with another version', () => {
  let cluster: Cluster;
  let directory: string;
  let scheduler: RunningCommand | null = null;

  const start = (port: number, ...more: string[]): string => {
    const { mesos, marathon } = cluster.ready;
    const listen = `127.0.46.254:${port}`;
    scheduler = run([
      'scheduler',
      ...['--master', mesos, '--marathon', marathon],
      ...['--state', `file:${join(directory, 'state')}`, '--listen', listen],
      ...['--rollout-gate', '200ms', '--rollout-window', '2s', '--rollout-min-requests', '20', '--mesh-config', CONFIG],
      ...more,
    ]);
    return `http://${listen}`;
  };
  /** Another scheduler takes over, as when the package is updated; resolves when its plan `update` is over. */
  const restarted = async (port: number, ...more: string[]): Promise<{ url: string; errors: string[] }> => {
    scheduler?.child.kill('SIGTERM');
    await scheduler?.ended;
    const url = start(port, ...more);
    const { errors } = await eventually(
      'the plan update is over',
      async () => {
        const plan: { status: string; errors: string[] } = JSON.parse((await send(`${url}/v1/plans/update`)).body);
        return plan.status === 'COMPLETE' || plan.status === 'ERROR' ? plan : null;
      },
      100_000,
    );
    await eventually('all healthy', () => cluster.allHealthy(url), 15_000);
    return { url, errors };
  };
  /** 200 requests a second, half of them on new connections, while `work` goes on: those that failed. */
  const underLoad = async (work: () => Promise<unknown>, host = 'web'): Promise<Failure[]> => {
    const entries = cluster.ready.nodes.map((node) => node.http);
    const loads = [true, false].map((keepAlive) => new SteadyLoad(entries, host, 100, keepAlive));
    try {
      await eventually('the load runs', () => loads.every((load) => load.succeeded > 100), 10_000);
      await work();
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    figure(
      'requests meanwhile',
      loads.reduce((sum, load) => sum + load.sent, 0),
      'requests',
    );
    return loads.flatMap(({ failures }) => failures);
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nodemesh-test-'));
    cluster = await Cluster.start(46, ['--no-scheduler']);
  }, 90_000);
  afterAll(async () => {
    scheduler?.child.kill('SIGKILL');
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  it('--no-scheduler is ready without one: agents registered, the demo’s tasks run, nobody meshes them', async () => {
    expect(cluster.ready.scheduler).toBeNull();
    const roles = (await cluster.processes()).map((row) => row.role);
    expect(roles.filter((role) => role === 'task')).toHaveLength(13);
    expect(roles).not.toContain('proxy');
    expect(roles).not.toContain('scheduler');
  });

  it('finds all its proxies again, and they it, within 5 s and without one failed request', async () => {
    const first = start(4181);
    await eventually('all healthy', () => cluster.allHealthy(first), 30_000);
    await eventually(
      'web answers through every node',
      async () =>
        (await Promise.all(cluster.ready.nodes.map((node) => cluster.ask(node, 'web')))).every((a) => a.status === 200),
      15_000,
    );
    const frameworkId = await cluster.frameworkId(first);
    const proxies = await proxyRows(cluster);
    const load = new SteadyLoad(
      cluster.ready.nodes.map((node) => node.http),
      'web',
      100,
    );
    try {
      await eventually('the load runs', () => load.succeeded > 100, 10_000);
      const second = await timed('scheduler killed and started on another port → all streams back', async () => {
        const old = scheduler;
        old?.child.kill('SIGKILL');
        await old?.ended;
        const moved = start(4199);
        await eventually('all healthy', () => cluster.allHealthy(moved), 15_000);
        return moved;
      });
      expect(await cluster.frameworkId(second.value)).toBe(frameworkId);
      expect(await proxyRows(cluster)).toEqual(proxies);
    } finally {
      await load.stop();
    }
    figure('failed requests while the scheduler moved', load.failures.length, 'requests');
    expect(load.failures).toEqual([]);
  });

  it('brings a new version into the tasks that run, and not one request fails', async () => {
    const proxies = await proxyRows(cluster);
    const next = await otherBuild('next', another);
    const failures = await underLoad(async () => {
      const { value } = await timed('upgrade of 4 nodes in place', () =>
        restarted(4182, '--proxy-archive', next.file, '--strategy', 'serial'),
      );
      expect(value.errors).toEqual([]);
      expect(await codesOf(value.url)).toEqual(Array(4).fill(next.codeSha256));
    });
    figure('failed requests while the version changed in place', failures.length, 'requests');
    expect(kindsOf(failures)).toEqual({});
    expect(await proxyRows(cluster)).toEqual(proxies);
  });

  it('takes one back under which requests fail, from the one node that had it', async () => {
    // However fast the machine is: it takes every instance for one that has as much to do as it may have.
    const shedding = (code: string): string => code.replace(/\bMAX_INFLIGHT=\w+/, 'MAX_INFLIGHT=0');
    const [bad, next] = [await otherBuild('bad', shedding), await otherBuild('next', another)];
    const failures = await underLoad(async () => {
      const { url, errors } = await restarted(
        4183,
        '--proxy-archive',
        bad.file,
        '--proxy-archive',
        next.file,
        '--strategy',
        'gate:1:100',
      );
      expect(errors).toEqual([expect.stringMatching(/^bad-.* was turned back to next-.*: .*% of \d+ requests failed/)]);
      expect(await codesOf(url)).toEqual(Array(4).fill(next.codeSha256));
    });
    figure('failed requests under a bad version', failures.length, 'requests');
    expect(failures.length).toBeGreaterThan(0);
  });

  it('replaces the tasks where it has to: only what enters there fails, one node at a time, for at most 5 s', async () => {
    const next = await otherBuild('next', another);
    const tasks = new Set((await proxyRows(cluster)).map(({ taskId }) => taskId));
    // An app that calls nobody: what `web` calls enters the mesh at the node where it runs.
    const failures = await underLoad(async () => {
      const more = ['--proxy-archive', next.file, '--proxy-mem', '288', '--strategy', 'serial'];
      const { value } = await timed('new tasks on 4 nodes', () => restarted(4184, ...more));
      expect(value.errors).toEqual([]);
    }, 'gen');
    expect((await proxyRows(cluster)).filter(({ taskId }) => tasks.has(taskId))).toEqual([]);
    const isAway = ({ what }: Failure): boolean => /ECONNREFUSED|ECONNRESET|socket hang up|not-ready/.test(what);
    expect(failures.filter((failure) => !isAway(failure))).toEqual([]);
    const spans = spansOf(failures);
    for (const { entry, fromMs, toMs, count } of spans) figure(`${entry}: ${count} failed within`, toMs - fromMs, 'ms');
    for (const { fromMs, toMs } of spans) expect(toMs - fromMs).toBeLessThan(15_000);
    for (const [index, { fromMs }] of spans.entries()) {
      expect(fromMs).toBeGreaterThan(spans[index - 1]?.toMs ?? Number.NEGATIVE_INFINITY);
    }
    expect(spans.length).toBeLessThanOrEqual(4);
  });

  const another = (code: string): string => `${code}\n// Another build.\n`;

  /** A build of the proxy with other code, as an archive. */
  async function otherBuild(
    version: string,
    change: (code: string) => string,
  ): Promise<{ file: string; codeSha256: string }> {
    const before = await readFile(join(DIST, 'proxy.mjs'), 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`the build ${version} is not another one`);
    const code = Buffer.from(after);
    const { file } = await writeArchive({ version, code, license: null, runtime: null }, directory);
    return { file, codeSha256: sha256Of(code) };
  }

  async function codesOf(url: string): Promise<(string | undefined)[]> {
    const rows = await getJson<{ running: { codeSha256: string } | null }[]>(`${url}/v1/nodes`);
    return rows.map(({ running }) => running?.codeSha256);
  }
});

interface Span {
  readonly entry: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** How often each thing went wrong, whoever it was that it went wrong with. */
function kindsOf(failures: readonly Failure[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const { what } of failures) {
    const kind = what.replace(/[\w-]+\.[\w.-]+@?/g, '…').slice(0, 160);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

/** From the first to the last failure at each entry, in the order in which they began. */
function spansOf(failures: readonly Failure[]): Span[] {
  const spans = new Map<string, Span>();
  for (const { entry, atMs } of failures) {
    const span = spans.get(entry) ?? { entry, fromMs: atMs, toMs: atMs, count: 0 };
    const [fromMs, toMs] = [Math.min(span.fromMs, atMs), Math.max(span.toMs, atMs)];
    spans.set(entry, { entry, fromMs, toMs, count: span.count + 1 });
  }
  return [...spans.values()].sort((a, b) => a.fromMs - b.fromMs);
}

async function proxyRows(cluster: Cluster): Promise<ProcessRow[]> {
  const rows = (await cluster.processes()).filter((row) => row.role === 'proxy');
  return rows.sort((a, b) => a.pid - b.pid);
}

async function activeAgents(cluster: Cluster): Promise<number> {
  const { slaves } = await getJson<{ slaves: { active: boolean }[] }>(`${cluster.ready.mesos}/slaves`);
  return slaves.filter((slave) => slave.active).length;
}
