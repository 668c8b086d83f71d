/**
 * A token is swapped for a key, once; what is kept is its hash, and the next leader knows it. A whole scheduler with its real
 * framework, which finds its agents in its state; there is no Mesos.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { announceProof, sha256Of } from '../../../agent-proxy/control/enrolment.ts';
import { createFramework, openFileStore } from '../../../framework/index.ts';
import { agentKey, agentRecordSchema, FRAMEWORK_KEY } from '../../../framework/state/records.ts';
import { readConfig } from '../../../scheduler/config.ts';
import { startScheduler } from '../../../scheduler/main.ts';
import { tokenOf } from '../../../scheduler/proxy-keys.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { ControlClient } from '../support/control-client.ts';

interface Stage {
  readonly url: string;
  readonly logs: string[];
  readonly token: (task: string) => string;
  /** Of the agent's record, as it is on the disk. */
  kept(agent: string): Promise<unknown>;
  enrol(body: Partial<Record<'agentId' | 'taskId' | 'token' | 'keySha256', string>>): Promise<number>;
  /** The status of a subscribe, or of a report under a session that nobody knows. */
  subscribe(agentId: string, taskId: string, bearer?: string): Promise<number>;
  report(agentId: string, taskId: string, bearer?: string): Promise<number>;
  stop(): Promise<void>;
}

interface Given {
  /** Of agent S1 with its task p1; S2 has the task p2 and nothing. */
  readonly credential?: string | null;
  readonly args?: readonly string[];
  readonly state?: string;
}

async function makeState(credential: string | null, adminIp = '127.0.0.1'): Promise<string> {
  const state = await mkdtemp(join(tmpdir(), 'nodemesh-keys-'));
  onTestFinished(() => rm(state, { recursive: true, force: true }));
  const store = await openFileStore(state);
  await store.put(FRAMEWORK_KEY, { frameworkId: 'f-1' }, null);
  for (const [agentId, taskId, kept] of [
    ['S1', 'p1', credential],
    ['S2', 'p2', null],
  ] as const) {
    const record = agentRecordSchema.parse({
      ...{ agentId, taskId, hostname: agentId, ip: adminIp, isPublic: false, attributes: {}, credential: kept },
      ...{ launchedAt: Date.now(), failures: 0, notBefore: null, lastEnd: null },
    });
    await store.put(agentKey(agentId), record, null);
  }
  await store.close();
  return state;
}

async function stage({ credential = 'expected', args = [], ...given }: Given = {}): Promise<Stage> {
  const state = given.state ?? (await makeState(credential));
  const dist = join(state, '..', `${state.split('/').at(-1)}-dist`);
  await mkdir(join(dist, 'dashboard'), { recursive: true });
  await writeFile(join(dist, 'proxy.mjs'), '// the proxy\n');
  const logs: string[] = [];
  const log =
    (level: string) =>
    (fields: object, message: string): void =>
      void logs.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const config = readConfig([
    ...['--master=http://127.0.0.1:1', '--marathon=http://127.0.0.1:1', `--state=file:${state}`],
    ...['--listen=127.0.0.1:0', ...args],
  ]);
  const scheduler = await startScheduler(
    config,
    { version: '0.1.0', dist },
    { logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }, createFramework },
  );
  scheduler.failed.catch(() => undefined);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await scheduler.stop();
  };
  onTestFinished(async () => {
    await stop();
    await rm(dist, { recursive: true, force: true });
  });
  const { url } = scheduler;
  const stored = async (key: string): Promise<unknown> =>
    (JSON.parse(await readFile(join(state, `${key}.json`), 'utf8')) as { value: unknown }).value;
  const launchKey = String(await stored('scheduler/launch-key'));
  const post = async (path: string, body: object, bearer?: string): Promise<number> => {
    const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
    await response.arrayBuffer();
    return response.status;
  };
  return {
    url,
    logs,
    stop,
    token: (task) => tokenOf(launchKey, task),
    kept: async (agent) => ((await stored(`agents/${agent}`)) as { credential: unknown }).credential,
    enrol: (body) =>
      post('/control/v1/enroll', {
        ...{ agentId: 'S1', taskId: 'p1', token: tokenOf(launchKey, body.taskId ?? 'p1'), keySha256: sha256Of('k') },
        ...body,
      }),
    async subscribe(agentId, taskId, bearer) {
      const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      if (bearer !== undefined) headers['nodemesh-task'] = taskId;
      const client = new ControlClient(url, { agentId, taskId }, headers);
      try {
        return await eventually('an answer', () => client.status);
      } finally {
        client.close();
      }
    },
    report: (agentId, taskId, bearer) =>
      post(
        '/control/v1/report',
        {
          ...{ session: 'nobody', agentId, taskId, epoch: 1, revision: 0, configRevision: 0, digest: '', version: '1' },
          ...{ ready: true, reason: null, windowMs: 0, traffic: [], instances: [], workerRestarts: 0, staleFrames: 0 },
        },
        bearer,
      ),
  };
}

const KEY = randomBytes(32).toString('base64url');
const HASH = sha256Of(KEY);

describe('an enrolment', () => {
  test('is taken once: again for the same key, and for no other; what is kept is the hash', async () => {
    const scheduler = await stage();
    expect(await scheduler.enrol({ keySha256: HASH })).toBe(204);
    expect(await scheduler.kept('S1')).toBe(`sha256:${HASH}`);
    expect(await scheduler.enrol({ keySha256: HASH })).toBe(204);
    expect(await scheduler.enrol({ keySha256: sha256Of('another') })).toBe(409);
    expect(await scheduler.kept('S1')).toBe(`sha256:${HASH}`);
    const warnings = scheduler.logs.filter((line) => line.startsWith('warn somebody has the token'));
    expect(warnings).toEqual([expect.stringContaining('{"agentId":"S1","taskId":"p1"}')]);
    for (const secret of [KEY, scheduler.token('p1')]) expect(scheduler.logs.join('\n')).not.toContain(secret);
  });

  test('of two at once one is taken', async () => {
    const scheduler = await stage();
    const keys = ['a', 'b', 'c', 'd'].map(sha256Of);
    const statuses = await Promise.all(keys.map((keySha256) => scheduler.enrol({ keySha256 })));
    expect([...statuses].sort()).toEqual([204, 409, 409, 409]);
    expect(await scheduler.kept('S1')).toBe(`sha256:${keys[statuses.indexOf(204)]}`);
  });

  test('needs the token of the task, and the task that an agent has', async () => {
    const scheduler = await stage();
    expect(await scheduler.enrol({ token: scheduler.token('p2') })).toBe(401);
    expect(await scheduler.enrol({ token: 'x' })).toBe(401);
    expect(await scheduler.enrol({ taskId: 'p9' })).toBe(404);
    expect(await scheduler.enrol({ agentId: 'S2' })).toBe(404);
    expect(await scheduler.enrol({ keySha256: 'short' })).toBe(400);
    expect(await scheduler.kept('S1')).toBe('expected');
  });
});

describe('a proxy that was launched with a token', () => {
  test('is known by its key, also on loopback, and nobody else as it', async () => {
    const scheduler = await stage();
    expect(await scheduler.subscribe('S1', 'p1')).toBe(401);
    expect(await scheduler.subscribe('S1', 'p1', KEY)).toBe(401);
    await scheduler.enrol({ keySha256: HASH });
    expect(await scheduler.subscribe('S1', 'p1', KEY)).toBe(200);
    expect(await scheduler.report('S1', 'p1', KEY)).toBe(409);
    for (const bearer of [undefined, 'wrong', HASH, scheduler.token('p1')]) {
      expect(await scheduler.subscribe('S1', 'p1', bearer)).toBe(401);
      expect(await scheduler.report('S1', 'p1', bearer)).toBe(401);
    }
    // Nor as another task of its agent, nor as its task on another agent.
    expect(await scheduler.subscribe('S1', 'p9')).toBe(401);
    expect(await scheduler.subscribe('S2', 'p1')).toBe(401);
    expect(await scheduler.subscribe('S2', 'p1', KEY)).toBe(401);
  });

  test('is known to the next leader', async () => {
    const state = await makeState('expected');
    const first = await stage({ state });
    await first.enrol({ keySha256: HASH });
    await first.stop();
    const second = await stage({ state });
    expect(await second.subscribe('S1', 'p1', KEY)).toBe(200);
    expect(await second.subscribe('S1', 'p1', 'wrong')).toBe(401);
    expect(await second.enrol({ keySha256: HASH })).toBe(204);
    expect(await second.enrol({ keySha256: sha256Of('another') })).toBe(409);
  });
});

test('a proxy of before tokens goes on: with the key of the cluster off loopback, without on it', async () => {
  const state = await makeState('expected');
  const local = await stage({ state });
  expect(await local.subscribe('S2', 'p2')).toBe(200);
  await local.stop();
  const open = await stage({ state, args: ['--listen=0.0.0.0:0', '--advertise=http://127.0.0.1:1'] });
  const file = await readFile(join(state, 'scheduler', 'cluster-key.json'), 'utf8');
  const { value: clusterKey } = JSON.parse(file) as { value: string };
  expect(await open.subscribe('S2', 'p2')).toBe(401);
  expect(await open.subscribe('S2', 'p2', clusterKey)).toBe(200);
  expect(await open.subscribe('S1', 'p1', clusterKey)).toBe(401);
  expect(await open.report('S1', 'p1', clusterKey)).toBe(401);
});

test('a scheduler announces itself by what only it and the proxy know, and with no secret', async () => {
  const told: { body: string; authorization: string | undefined }[] = [];
  const admin = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      told.push({ body, authorization: request.headers.authorization });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.36.7', resolve));
  onTestFinished(() => void admin.close());
  const args = [`--ports=admin=${(admin.address() as AddressInfo).port}`];
  for (const [kept, hashOf] of [
    [`sha256:${HASH}`, () => HASH],
    ['expected', (scheduler: Stage) => sha256Of(scheduler.token('p1'))],
  ] as const) {
    told.length = 0;
    const scheduler = await stage({ state: await makeState(kept, '127.0.36.7'), args });
    await eventually('both tasks are told', () => told.length >= 2);
    const given = told.map(({ authorization }) => authorization);
    // The other task was launched without a token, and is on loopback.
    expect(given).toContain(undefined);
    expect(given).toContain(announceProof(hashOf(scheduler), told[0]?.body ?? ''));
    await scheduler.stop();
  }
});
