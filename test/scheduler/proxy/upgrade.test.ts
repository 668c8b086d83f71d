/** A real proxy, started by the command of its task, follows the upgrades of a real scheduler under load. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AgentId } from '../../../framework/index.ts';
import { writeArchive } from '../../../scheduler/proxy/archive.ts';
import { loadArtifacts } from '../../../scheduler/proxy/artifacts.ts';
import { goalOf, type ProxyGoal, type ProxyPlan } from '../../../scheduler/proxy/goal.ts';
import { startClients } from '../../agent-proxy/supervisor/keep-alive-clients.ts';
import { useBackend } from '../../fixtures/backend.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { freePorts, useTempDir } from '../../fixtures/proxy.ts';
import { bundleProxy, type ProxyBundle } from '../../fixtures/proxy-bundle.ts';
import { fakeAgent, taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const IP = '127.0.36.19';
const use = useScheduler();
let bundles: ProxyBundle[];

beforeAll(async () => {
  bundles = await Promise.all(['0.1.0', '0.2.0'].map((version) => bundleProxy(version)));
}, 30_000);
afterAll(async () => {
  for (const bundle of bundles) await bundle.remove();
});

interface NodeRow {
  readonly state: string;
  readonly running: { readonly version: string; readonly codeSha256: string; readonly upgrade: object | null } | null;
  readonly wanted: { readonly codeSha256: string };
}

test('a goal is reached in place while requests flow, and so is the way back', async () => {
  const packages = await useTempDir();
  const files: string[] = [];
  for (const [at, { file }] of bundles.entries()) {
    const contents = { version: `0.${at + 1}.0`, code: await readFile(file), license: null, runtime: null };
    files.push((await writeArchive(contents, packages)).file);
  }
  const backend = await useBackend('web');
  use.marathon.put('web', [{ id: 'web.1', host: '127.0.0.1', port: backend.port }]);
  const [out = 0, incoming = 0, admin = 0] = await freePorts(IP, 3);
  const scheduler = await use.start({
    nodes: { S1: { ip: IP, taskId: taskId('p1') } },
    args: [`--ports=out=${out},in=${incoming},admin=${admin}`, ...files.map((file) => `--proxy-archive=${file}`)],
  });

  // What Mesos does with the task.
  const { options } = scheduler.framework;
  const { command } = options.task(fakeAgent(IP), taskId('p1'), options.goal);
  const sandbox = await useTempDir();
  const [uri] = command.uris ?? [];
  const archive = await fetch(uri?.value ?? '');
  if (archive.body === null) throw new Error('the archive is empty');
  await pipeline(Readable.fromWeb(archive.body), createWriteStream(join(sandbox, uri?.output_file ?? '')));
  const variables = (command.environment?.variables ?? []).map(({ name, value }) => [name, value]);
  const child = spawn('/bin/sh', ['-c', command.value ?? ''], {
    ...{ cwd: sandbox, stdio: 'ignore', detached: true },
    env: {
      PATH: process.env['PATH'],
      NODEMESH_NODE: process.execPath,
      MESOS_SANDBOX: sandbox,
      ...Object.fromEntries(variables),
    },
  });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  });

  const node = async (): Promise<NodeRow | undefined> => ((await scheduler.get('/v1/nodes')).json as NodeRow[])[0];
  const runs = (goal: ProxyGoal) => async (): Promise<boolean> => {
    const row = await node();
    return row?.running?.codeSha256 === goal.codeSha256 && row.state === 'healthy';
  };
  const plan: ProxyPlan = {
    ports: { out, in: incoming, admin, edge: 4143 },
    ...{
      bind: 'node' as const,
      publicListeners: 'edge' as const,
      workers: 1,
      cpus: 1,
      cpusLimit: null,
      mem: 256,
      disk: 256,
      image: null,
    },
  };
  const artifacts = await loadArtifacts({ dist: packages, version: '0', files });
  onTestFinished(() => artifacts.close());
  const [first, second] = artifacts.archives.map((each) => goalOf(each, plan));
  if (first === undefined || second === undefined) throw new Error('there are two archives');
  expect(options.goal).toEqual({ id: first.id, relaunchKey: first.relaunchKey });
  expect(second.relaunchKey).toBe(first.relaunchKey);

  await eventually('the proxy is healthy', runs(first), 15_000);
  const busy = startClients(`http://${IP}:${out}/`, 'web', 10, 1);
  try {
    for (const goal of [second, first]) {
      const answered = busy.answered();
      await eventually('requests are answered', () => busy.answered() > answered + 20);
      options.upgrade('S1' as AgentId, taskId('p1'), goal);
      await eventually('the goal is reached', runs(goal), 30_000);
      const upgrade = { state: 'proving', codeSha256: goal.codeSha256, reason: null };
      await eventually('it serves alone', async () => isDeepStrictEqual((await node())?.running?.upgrade, upgrade));
      expect((await node())?.running?.version).toBe(goal.version);
    }
  } finally {
    expect(await busy.stop()).toEqual([]);
  }
}, 120_000);
