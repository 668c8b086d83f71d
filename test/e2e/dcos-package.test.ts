/**
 * The package from its installation to its end, on hosts without a Node.js (nothing is on their PATH): Marathon runs the app that
 * the template makes, fetches what was packed, and the scheduler that comes up puts proxies from their archive on every agent;
 * Cosmos then has it uninstall itself, and nothing is left.
 *
 * NODEMESH_WHOLE_ARCHIVES=1 makes it the long form: archives with a Node.js of 100 MB, which is copied and unpacked a dozen times.
 * Otherwise what stands in its place is a script that becomes this machine's, by its path.
 */
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, normalize, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageProxyWith } from '../../dcos-package/build/package-proxy.mjs';
import { packageScheduler } from '../../dcos-package/build/package-scheduler.mjs';
import { openZooKeeper, parseConnectString } from '../../framework/index.ts';
import { type JsonObject, optionFaults, renderedApp } from '../dcos-package/catalog.ts';
import { appFaults } from '../dcos-package/marathon-rules.ts';
import { Cosmos } from '../fixtures/cosmos.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type FileServer, serveFiles } from '../fixtures/file-server.ts';
import { getJson, send, sendJson } from '../fixtures/http.ts';
import { Cluster, childrenOf, isAlive, type NodeDocument } from '../fixtures/local-cluster.ts';
import { timed } from '../fixtures/measure.ts';
import { type Ensemble, startZooKeeper } from '../fixtures/zookeeper.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NET = 62;
const APP = '/nodemesh';
const IS_WHOLE = process.env['NODEMESH_WHOLE_ARCHIVES'] === '1';
const WITHIN_MS = 150_000;
const TEST_MS = 300_000;

let directory: string;
let cluster: Cluster;
let ensemble: Ensemble;
let files: FileServer;
let cosmos: Cosmos;
let version: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodemesh-package-'));
  version = (JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
  const few = ['--agents', '1', '--public-agents', '1', '--no-demo', '--no-scheduler'];
  [cluster, ensemble] = await Promise.all([Cluster.start(NET, few, { PATH: '' }), startZooKeeper(), pack(directory)]);
  files = await serveFiles(directory);
  cosmos = new Cosmos(cluster.ready.marathon);
}, 120_000);
afterAll(async () => {
  await Promise.all([cluster?.stop(), ensemble?.stop(), files?.close()]);
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** Both archives. Which Node.js a release has, and how small that gets, test/setup asks. */
async function pack(out: string): Promise<void> {
  const binary = IS_WHOLE
    ? await readFile(process.execPath)
    : Buffer.from(`#!/bin/sh\nexec ${process.execPath} "$@"\n`);
  const runtime = { node: process.versions.node, platform: 'linux-x64', binary, license: Buffer.from('of Node.js') };
  const proxy = await packageProxyWith(ROOT, { out, runtime, level: 0 });
  await packageScheduler(ROOT, { out, runtime, manifests: [`${proxy.file}.json`], level: 0 });
}

function options(): JsonObject {
  return {
    service: { cpus: 0.5, mem: 512, use_vip: false },
    proxies: { bind: 'node', cpus: 0.1 },
    discovery: { marathons: [cluster.ready.marathon] },
    mesos: { master: cluster.ready.mesos },
    zookeeper: { servers: ensemble.address },
  };
}

const nodes = (): readonly NodeDocument[] => cluster.ready.nodes;

async function allHealthy(): Promise<boolean> {
  const url = await cosmos.service(APP);
  return url !== null && (await cluster.allHealthy(url).catch(() => false));
}

/** What Mesos says of the framework `nodemesh`, and of what it has. */
async function leftAtMesos(): Promise<object> {
  const ask = async (type: string): Promise<string> =>
    (await sendJson('POST', `${cluster.ready.mesos}/api/v1`, { type })).body;
  const frameworks = JSON.parse(await ask('GET_FRAMEWORKS')) as {
    get_frameworks: { frameworks?: { framework_info: { name: string } }[] };
  };
  return {
    frameworks: (frameworks.get_frameworks.frameworks ?? []).map(({ framework_info: { name } }) => name),
    reserved: (await ask('GET_AGENTS')).includes('DYNAMIC'),
    processes: (await cluster.processes()).length,
  };
}

async function hasState(): Promise<boolean> {
  const session = await openZooKeeper(parseConnectString(`zk://${ensemble.address}`));
  try {
    return (await session.exists('/dcos-service-nodemesh')) !== null;
  } finally {
    await session.close();
  }
}

it(
  'is installed: the scheduler and a proxy on every agent run from what was packed, and serve',
  async () => {
    expect(optionFaults(options())).toEqual([]);
    const app = renderedApp(options(), { baseUrl: files.url, version });
    expect(appFaults(app)).toEqual([]);
    await timed('app posted → a healthy proxy on every agent', async () => {
      await cosmos.install('nodemesh', app, options());
      await eventually('all are healthy', allHealthy, WITHIN_MS);
    });
    expect([...files.asked].sort()).toEqual(
      ['proxy', 'scheduler'].map((part) => `nodemesh-${part}-${version}-linux-x64.tar.gz`),
    );

    // Each runs what came with it, by the Node.js that came with it.
    const processes = await cluster.processes();
    expect(processes.map(({ role }) => role).sort()).toEqual(['proxy', 'proxy', 'task']);
    for (const { pid, role } of processes) {
      const [worker] = role === 'proxy' ? await childrenOf(pid) : [pid];
      const [what, script] =
        role === 'proxy' ? ['nodemesh-proxy', 'proxy.mjs'] : ['nodemesh-scheduler', 'lib/nodemesh.mjs'];
      const sandbox = await readlink(`/proc/${pid}/cwd`);
      const words = (await readFile(`/proc/${worker}/cmdline`, 'utf8'))
        .split('\0')
        .map((word) => resolve(sandbox, word));
      expect(words.map((word) => normalize(word))).toContain(join(sandbox, what, script));
      const variables = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
      expect(variables).toContain('PATH=/usr/bin:/bin');
      if (IS_WHOLE) expect(await readlink(`/proc/${worker}/exe`)).toBe(join(sandbox, what, 'bin', 'node'));
    }

    // The scheduler is an app like any other: found by its name, through the proxy of each node.
    for (const { http } of nodes()) {
      await eventually('it answers through the mesh', async () => {
        const { status, body } = await send(`${http}/v1/health`, { headers: { Host: 'nodemesh' } });
        return status === 200 && (JSON.parse(body) as { leading: boolean }).leading;
      });
    }
    expect(await hasState()).toBe(true);
  },
  TEST_MS,
);

it(
  'is uninstalled, its scheduler ended in the middle: nothing is left',
  async () => {
    const pids = (await cluster.processes()).map(({ pid }) => pid);
    await timed('uninstall asked for → the app deleted', async () => {
      const uninstalled = cosmos.uninstall(APP);
      // What else fails first is of more interest.
      uninstalled.catch(() => undefined);
      const [before] = (await cluster.processes()).filter(({ role }) => role === 'task');
      // By the new one, which uninstalls: as soon as it has killed a proxy.
      await eventually('a proxy is gone', async () => (await cluster.proxies()).size < nodes().length, WITHIN_MS);
      const [scheduler] = (await cluster.processes()).filter(({ role }) => role === 'task');
      expect(scheduler?.pid).not.toBe(before?.pid);
      // Marathon starts it again. (Killed after any of its actions: test/framework/daemonset/uninstall.test.ts.)
      process.kill(scheduler?.pid ?? 0, 'SIGTERM');
      await uninstalled;
    });
    expect(await getJson(`${cluster.ready.marathon}/v2/apps`)).toEqual({ apps: [] });
    await eventually('the scheduler has ended', async () => (await cluster.processes()).length === 0, WITHIN_MS);
    expect(await leftAtMesos()).toEqual({ frameworks: ['marathon'], reserved: false, processes: 0 });
    expect(await hasState()).toBe(false);
    expect(pids.filter(isAlive)).toEqual([]);
  },
  TEST_MS,
);
