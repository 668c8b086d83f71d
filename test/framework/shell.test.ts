import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFramework, type Framework, fixedMaster, openFileStore } from '../../framework/index.ts';
import { type StateStore, StateStoreError } from '../../framework/state/state-store.ts';
import { ScriptedMaster, SUBSCRIBED, until } from './mesos-http-client/scripted-master.ts';
import { frameworkOptions } from './options.ts';
import { Story } from './story.ts';

interface Stage {
  readonly master: ScriptedMaster;
  readonly framework: Framework;
  readonly fatal: Error[];
  readonly log: string[];
  readonly gate: Gate;
  /** What Mesos refuses, and when it no longer does. */
  readonly permissions: [call: string, refusal: string | null][];
}

/** What is in the way of the store's writes. */
interface Gate {
  /** While shut, they wait. */
  shut: boolean;
  broken: boolean;
  open(): void;
}

/** A framework that is subscribed to a master which says what a test tells it to. */
async function subscribed(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'framework-'));
  const real = await openFileStore(directory);
  const { gate, store } = gated(real);
  const master = await new ScriptedMaster().start();
  master.onSubscribe = ({ path }, response) => {
    // The operator's stream: not here.
    if (path === '/api/v1') response.writeHead(501).end();
    else master.openStream(response);
  };
  const fatal: Error[] = [];
  const permissions: Stage['permissions'] = [];
  const log: string[] = [];
  const write = (_: object, message: string): void => void log.push(message);
  const framework = createFramework(
    frameworkOptions({
      masters: fixedMaster(master.url),
      store,
      fatal: (error) => fatal.push(error),
      permission: (...told) => permissions.push(told),
      logger: { debug: write, info: write, warn: write, error: write },
    }),
  );
  onTestFinished(async () => {
    await framework.stop();
    await master.stop();
    await real.close();
    await rm(directory, { recursive: true });
  });
  await framework.start();
  await until(() => framework.subscribed());
  return { master, framework, fatal, log, gate, permissions };
}

function gated(real: StateStore): { gate: Gate; store: StateStore } {
  const waiting: (() => void)[] = [];
  const gate: Gate = {
    shut: false,
    broken: false,
    open: () => {
      gate.shut = false;
      for (const go of waiting.splice(0)) go();
    },
  };
  const put: StateStore['put'] = async (key, value, expected) => {
    if (gate.shut) await new Promise<void>((resolve) => waiting.push(resolve));
    if (gate.broken) throw new StateStoreError('the disk is full');
    return real.put(key, value, expected);
  };
  const store: StateStore = {
    get: (key) => real.get(key),
    put,
    delete: (key, expected) => real.delete(key, expected),
    list: (prefix) => real.list(prefix),
    clear: () => real.clear(),
    close: () => real.close(),
  };
  return { gate, store };
}

const offers = new Story();
const OFFER = (agent: string) => ({ type: 'OFFERS', offers: { offers: [offers.offer(agent, {})] } });
const idOf = ({ offers: { offers } }: ReturnType<typeof OFFER>) => offers[0]?.id ?? { value: '' };
const UPDATE = (task: string, state: string) => ({
  type: 'UPDATE',
  update: { status: { task_id: { value: task }, agent_id: { value: 'a' }, state, uuid: 'AAAAAAAAAAAAAAAAAAAAAA==' } },
});

test.each([400, 500])('the offers of an ACCEPT that is refused with %i are declined', async (status) => {
  const { master, framework } = await subscribed();
  master.onCall = ({ body }, response) => response.writeHead(body.type === 'ACCEPT' ? status : 202).end('no');
  const offer = OFFER('a');
  master.write(offer);
  await until(() => master.calls('DECLINE').length === 1);
  expect(master.calls('DECLINE')[0]?.body).toMatchObject({ decline: { offer_ids: [idOf(offer)] } });
  expect(framework.counters().subscriptions).toBe(1);
});

test('O9 O11: an offer that is rescinded while it waits is not answered; a RESCIND of what nobody knows is nothing', async () => {
  const { master, framework, gate, log } = await subscribed();
  gate.shut = true;
  const [first, second, third] = [OFFER('a'), OFFER('b'), OFFER('c')];
  master.write(first);
  // The write of its launch keeps all that comes after it waiting.
  await until(() => framework.counters().offersReceived === 1);
  for (const event of [second, third]) master.write(event);
  for (const offer_id of [{ value: 'nobody knows it' }, idOf(second)])
    master.write({ type: 'RESCIND', rescind: { offer_id } });
  // Its line in the log tells that all before it was heard.
  master.write(SUBSCRIBED);
  await until(() => log.filter((line) => line === 'subscribed').length === 2);
  gate.open();
  await until(() => master.calls('ACCEPT').length === 2);
  const accepted = master.calls('ACCEPT').map(({ body }) => (body as { accept?: object }).accept);
  expect(accepted).toMatchObject([{ offer_ids: [idOf(first)] }, { offer_ids: [idOf(third)] }]);
  expect(master.calls('DECLINE')).toEqual([]);
});

test('U3: what cannot be stored is not acknowledged, and nothing of it is sent', async () => {
  const { master, framework, fatal, gate } = await subscribed();
  master.write(OFFER('a'));
  await until(() => master.calls('ACCEPT').length === 1);
  Object.assign(gate, { shut: true, broken: true });
  master.write(UPDATE(framework.nodes()[0]?.taskId ?? '', 'TASK_FAILED'));
  await until(() => framework.counters().statusUpdates === 1);
  // Time for a call to reach the master, had one been sent.
  for (let times = 0; times < 3; times += 1)
    await fetch(master.url, { method: 'POST', body: JSON.stringify({ type: 'NONE' }) });
  gate.open();
  await until(() => fatal.length === 1);
  expect(fatal[0]?.message).toContain('the disk is full');
  expect(master.calls('ACKNOWLEDGE')).toEqual([]);
  expect(framework.subscribed()).toBe(false);
});

test('U27: an ACKNOWLEDGE that is refused as stale ends in a new subscription, and the update in another one', async () => {
  const { master, framework } = await subscribed();
  master.write(OFFER('a'));
  await until(() => master.calls('ACCEPT').length === 1);
  const task = framework.nodes()[0]?.taskId ?? '';
  master.onCall = ({ body }, response) =>
    body.type === 'ACKNOWLEDGE'
      ? response.writeHead(403).end('Framework is not subscribed')
      : response.writeHead(202).end();
  master.write(UPDATE(task, 'TASK_RUNNING'));
  await until(() => framework.counters().subscriptions === 2);
  master.onCall = (_received, response) => response.writeHead(202).end();
  master.write(UPDATE(task, 'TASK_RUNNING'));
  await until(() => master.calls('ACKNOWLEDGE').length === 2);
  expect(framework.nodes()[0]).toMatchObject({ taskId: task, state: 'launching' });
  expect(framework.counters().launches).toBe(1);
});

test('what Mesos does not allow is told with its reason, and when it does', async () => {
  const { master, framework, permissions } = await subscribed();
  expect(permissions).toContainEqual(['SUBSCRIBE', null]);
  master.onCall = ({ body }, response) =>
    body.type === 'GET_AGENTS' ? response.writeHead(403).end() : response.writeHead(202).end();
  master.write(OFFER('a'));
  await until(() => master.calls('ACCEPT').length === 1);
  const task = framework.nodes()[0]?.taskId ?? '';
  const refused = UPDATE(task, 'TASK_ERROR');
  Object.assign(refused.update.status, {
    reason: 'REASON_TASK_UNAUTHORIZED',
    message: "Not authorized to launch as user 'root'",
  });
  master.write(refused);
  await until(() => permissions.some(([call]) => call === 'LAUNCH'));
  expect(permissions.at(-1)).toEqual(['LAUNCH', "Not authorized to launch as user 'root'"]);
  master.write({ type: 'ERROR', error: { message: "Framework 'f' is not authorized to receive offers for role 'r'" } });
  await until(() => permissions.some(([call, why]) => call === 'SUBSCRIBE' && why?.includes("role 'r'") === true));
  master.onSubscribe = ({ path }, response) => {
    if (path === '/api/v1') response.writeHead(403).end();
    else response.writeHead(403).end('not allowed');
  };
  master.streams.at(-1)?.destroy();
  await until(() =>
    permissions.some(([call, why]) => call === 'SUBSCRIBE' && why?.includes('403 not allowed') === true),
  );
});
