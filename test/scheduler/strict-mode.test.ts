/**
 * Strict mode: Mesos, Marathon and the IAM speak TLS with an authority of their own and want a token, and tokens end after
 * two seconds. The whole scheduler with its real framework, a real master and agents in miniature, through several renewals.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createFramework } from '../../framework/index.ts';
import { readConfig } from '../../scheduler/config.ts';
import { type RunningScheduler, startScheduler } from '../../scheduler/main.ts';
import { Certificates } from '../agent-proxy/endpoint/certificates.ts';
import { eventually } from '../fixtures/eventually.ts';
import { getJson } from '../fixtures/http.ts';
import { Iam } from '../fixtures/iam.ts';
import { StrictGate } from '../fixtures/strict-gate.ts';
import { MiniMesos } from '../framework/mini-mesos.ts';
import { FakeMarathon } from './support/fake-marathon.ts';

const TOKEN_LIFE_MS = 2_000;

let certificates: Certificates;
let directory: string;
let iam: Iam;
let mesos: MiniMesos;
let marathon: FakeMarathon;
let masterGate: StrictGate;
let marathonGate: StrictGate;
let secret: string;
let running: RunningScheduler | null;
let logs: string[];

beforeAll(() => {
  certificates = new Certificates();
  certificates.make('authority', 'Authority of a cluster');
  certificates.make('localhost', 'localhost', 'authority');
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-strict-'));
  mkdirSync(join(directory, 'dashboard'));
  writeFileSync(join(directory, 'proxy.mjs'), '// the proxy\n');
});
afterAll(() => {
  certificates.remove();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  running = null;
  logs = [];
  const read = (name: string): Buffer => readFileSync(certificates.file(name));
  const tls = { key: read('localhost.key'), cert: read('localhost.pem') };
  iam = await Iam.start({ tls, tokenLifeMs: TOKEN_LIFE_MS });
  mesos = new MiniMesos();
  await mesos.start();
  marathon = await FakeMarathon.start();
  const judge = (token: string) => iam.judge(token);
  masterGate = await StrictGate.start({ to: mesos.url, tls, judge });
  marathonGate = await StrictGate.start({ to: marathon.url, tls, judge });
  secret = iam.account('mesh');
});
afterEach(async () => {
  await running?.stop();
  await Promise.all([masterGate.stop(), marathonGate.stop(), iam.stop()]);
  await Promise.all([mesos.stop(), marathon.stop()]);
  rmSync(join(directory, 'state'), { recursive: true, force: true });
});

async function start(...args: string[]): Promise<string> {
  const account = join(directory, 'account.json');
  writeFileSync(account, secret);
  const config = readConfig([
    ...[`--master=${masterGate.url}`, `--marathon=${marathonGate.url}`, `--state=file:${join(directory, 'state')}`],
    ...['--listen=127.0.0.1:0', '--user=nodemesh', `--service-account-file=${account}`],
    ...[`--mesos-ca-file=${certificates.file('authority.pem')}`, ...args],
  ]);
  const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug: log, info: log, warn: log, error: log };
  running = await startScheduler(config, { version: '0.1.0', dist: directory }, { logger, createFramework });
  return running.url;
}

test('everything works through several renewals, also where streams break when their token has ended', async () => {
  mesos.addAgent();
  marathon.put('web', [{ id: 'web.1' }]);
  const url = await start();
  const launched = (): boolean => mesos.agents.every((agent) => agent.onlyTask !== undefined);
  const services = async (): Promise<string[]> =>
    (await getJson<{ name: string }[]>(`${url}/v1/services`)).map(({ name }) => name);
  await eventually('a proxy on the first agent', launched);
  await eventually('the app', async () => (await services()).includes('web'));

  for (const round of [1, 2]) {
    iam.tellsTime = round === 1;
    const before = iam.logins.length;
    await eventually('the tokens so far to end', () => iam.allEnded || iam.logins.length > before, 3 * TOKEN_LIFE_MS);
    // The operator stream tells of the agent, an offer comes on the subscription, and the calls go out with a token of now.
    mesos.addAgent();
    await eventually(`a proxy on agent ${mesos.agents.length}`, launched);
    marathon.put(`app${round}`, [{ id: `app${round}.1` }]);
    marathon.emit('status_update_event', { appId: `/app${round}` });
    await eventually('the new app', async () => (await services()).includes(`app${round}`));
  }
  expect(iam.logins.length).toBeGreaterThanOrEqual(3);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  // Streams that stand do not need the token that they began with.
  expect(metrics).toMatch(/^nodemesh_(?:framework_|mesos_)?subscriptions_total 1$/m);
  expect(marathon.asked('/v2/events')).toBe(1);

  // By now what has a token uses it until it is refused.
  expect([...masterGate.refused, ...marathonGate.refused]).toEqual([]);
  await eventually('the tokens so far to end', () => iam.allEnded, 3 * TOKEN_LIFE_MS);
  masterGate.cut();
  marathonGate.cut();
  mesos.addAgent();
  await eventually('a proxy on the last agent', launched);
  await eventually('the event stream', () => marathon.asked('/v2/events') === 2);
  expect(await getJson(`${url}/v1/health`)).toMatchObject({ subscribed: true, marathon: { connected: true } });
  expect(mesos.agents.map((agent) => agent.launches)).toEqual([1, 1, 1, 1]);
  expect([...masterGate.refused, ...marathonGate.refused]).not.toEqual([]);
  expect(iam.refused).toEqual([]);
  // Nothing secret is in a log, at any level.
  const said = logs.join('\n');
  expect(iam.tokens.filter((token) => said.includes(token))).toEqual([]);
  expect(said).not.toContain('PRIVATE KEY');
});

test('a 403 names the grant that is missing, until it is granted: in the health, and in the log', async () => {
  masterGate.forbidden.set('POST /api/v1/scheduler', 'Forbidden');
  masterGate.forbidden.set('POST /api/v1', 'Forbidden');
  marathonGate.forbidden.set('GET /v2/apps', 'Not authorized');
  marathonGate.forbidden.set('GET /v2/events', 'Not authorized');
  const url = await start();
  const refusals = async (): Promise<{ what: string; text: string; grants: string[] }[]> =>
    (await getJson<{ refusals: { what: string; text: string; grants: string[] }[] }>(`${url}/v1/health`)).refusals;
  const kinds = ['marathon /v2/apps', 'marathon /v2/events', 'mesos SUBSCRIBE', 'mesos VIEW'];
  await eventually('all four', async () => (await refusals()).length === kinds.length);
  const all = await refusals();
  expect(all.map(({ what }) => what).sort()).toEqual(kinds);
  const grant = (what: string): string[] => all.find((each) => each.what === what)?.grants ?? [];
  expect(grant('mesos SUBSCRIBE')).toContain(
    'dcos security org users grant mesh dcos:mesos:master:framework:role:nodemesh create',
  );
  expect(grant('mesos VIEW')).toContain('dcos security org users grant mesh dcos:mesos:master:framework:role read');
  expect(grant('marathon /v2/apps')).toEqual([
    'dcos security org users grant mesh dcos:service:marathon:marathon:services:/ read',
  ]);
  expect(grant('marathon /v2/events')).toEqual([
    'dcos security org users grant mesh dcos:service:marathon:marathon:admin:events read',
  ]);
  expect(logs.filter((line) => line.startsWith('the cluster refuses')).length).toBeGreaterThanOrEqual(kinds.length);
  masterGate.forbidden.clear();
  marathonGate.forbidden.clear();
  await eventually('none', async () => (await refusals()).length === 0);
});
