/** Basic credentials and service accounts at a master that wants them, and masters that speak TLS. Real sockets and keys. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseServiceAccount } from '../../../framework/mesos-http-client/auth/credential.ts';
import {
  createOperator,
  createSubscription,
  type DownKind,
  fixedMaster,
  type Operator,
  principalAuthorization,
  type Subscription,
  type SubscriptionOptions,
  serviceAccountAuthorization,
} from '../../../framework/mesos-http-client/index.ts';
import { type CallBody, type Event, offerId } from '../../../framework/mesos-http-client/messages.ts';
import { Certificates } from '../../agent-proxy/endpoint/certificates.ts';
import { ScriptedMaster, until } from './scripted-master.ts';

const SECRET = 'geheim-1234';
const BASIC = `Basic ${Buffer.from(`fw:${SECRET}`).toString('base64')}`;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let master: ScriptedMaster;
let subscription: Subscription | null = null;
let operator: Operator | null = null;
let cleanups: (() => Promise<void> | void)[];
let events: Event['type'][];
let downs: { reason: string; kind: DownKind }[];
/** Everything that came out of the client in words. */
let said: string[];

beforeEach(async () => {
  master = await new ScriptedMaster().start();
  cleanups = [() => master.stop()];
  events = [];
  downs = [];
  said = [];
});

afterEach(async () => {
  subscription?.close();
  operator?.close();
  subscription = null;
  operator = null;
  for (const cleanup of cleanups.reverse()) await cleanup();
  expect(said.join('\n')).not.toContain(SECRET);
  expect(said.join('\n')).not.toContain(BASIC);
});

function open(more: Partial<SubscriptionOptions> = {}): Subscription {
  const access = { masters: fixedMaster(master.url), authorization: more.authorization, tls: more.tls };
  operator = createOperator({ ...access, onEvent: () => {}, onDown: () => {} });
  subscription = createSubscription({
    ...access,
    frameworkId: null,
    frameworkInfo: () => ({ user: 'root', name: 'f' }),
    onEvent: (event) => {
      events.push(event.type);
    },
    onDown: (reason, _wasSubscribed, kind) => {
      downs.push({ reason, kind });
      said.push(reason);
    },
    random: () => 0,
    ...more,
  });
  subscription.open();
  return subscription;
}

async function call(body: CallBody = { type: 'REVIVE' }) {
  const outcome = await subscription?.call(body);
  said.push(JSON.stringify(outcome));
  return outcome;
}

async function agents(): Promise<unknown> {
  return await operator?.getAgents().catch((error: unknown) => {
    said.push(String(error));
    throw error;
  });
}

const subscriptions = (count: number) => () => events.filter((type) => type === 'SUBSCRIBED').length === count;
const answerAgents: ScriptedMaster['onCall'] = ({ body }, response) =>
  body.type === 'GET_AGENTS' ? response.end('{"type":"GET_AGENTS","get_agents":{}}') : response.writeHead(202).end();

describe('a principal with a secret', () => {
  test('goes with the subscription, calls and questions, and is the principal of the framework', async () => {
    master.authorization = BASIC;
    master.onCall = answerAgents;
    open({ authorization: principalAuthorization('fw', SECRET) });
    await until(subscriptions(1));
    expect(await call()).toEqual({ outcome: 'accepted' });
    await agents();
    expect(master.received.map((one) => one.headers.authorization)).toEqual([BASIC, BASIC, BASIC]);
    expect(master.received[0]?.body.subscribe?.framework_info.principal).toBe('fw');
  });

  test('goes with a redirect to the leader', async () => {
    const leader = await new ScriptedMaster().start();
    cleanups.push(() => leader.stop());
    leader.authorization = BASIC;
    master.onSubscribe = (_received, response) =>
      response.writeHead(307, { location: `//${new URL(leader.url).host}/api/v1/scheduler` }).end();
    open({ authorization: principalAuthorization('fw', SECRET) });
    await until(subscriptions(1));
    expect(leader.received).toHaveLength(1);
  });

  test.each([
    ['none', undefined, /asks for a credential, and none is configured; check the principal and its secret/],
    ['another', principalAuthorization('op', SECRET), /does not take the configured credential; check the principal/],
  ])(
    'that is missing or wrong (%s) is said, tried again ever more slowly, and taken when it is right',
    async (_which, authorization, message) => {
      master.authorization = BASIC;
      open(authorization === undefined ? {} : { authorization });
      await until(() => downs.length === 3);
      expect(new Set(downs.map((down) => down.kind))).toEqual(new Set(['unauthorized']));
      expect(downs[0]?.reason).toMatch(message);
      await expect(agents()).rejects.toMatchObject({ kind: 'unauthorized', message: expect.stringMatching(message) });
      master.authorization = null;
      await until(subscriptions(1));
    },
  );

  test.each<CallBody>([{ type: 'REVIVE' }, { type: 'ACCEPT', accept: { offer_ids: [{ value: offerId('o') }] } }])(
    'that is refused for $type only is an outcome of its own, and renews the subscription',
    async (body) => {
      open({ authorization: principalAuthorization('fw', SECRET) });
      await until(subscriptions(1));
      master.onCall = (_received, response) => response.writeHead(401).end('401 Unauthorized.');
      expect(await call(body)).toEqual({
        outcome: 'unauthorized',
        text: expect.stringMatching(/answered 401; it does not take the configured credential; check/),
      });
      expect(master.calls(body.type)).toHaveLength(1);
      expect(downs).toMatchObject([{ kind: 'unauthorized' }]);
      await until(subscriptions(2));
    },
  );

  test('must not have a colon in its name', () => {
    expect(() => principalAuthorization('a:b', SECRET)).toThrow(/must not have a colon/);
  });
});

describe('a service account', () => {
  let logins: number;
  let answer: (count: number) => { status: number; token?: string };

  async function account(tls?: { key: Buffer; cert: Buffer; ca: string }) {
    logins = 0;
    const listener: RequestListener = (_request, response) => {
      logins += 1;
      const { status, token } = answer(logins);
      response.writeHead(status).end(token === undefined ? '' : JSON.stringify({ token }));
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const login_endpoint = `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${port}/acs/api/v1/auth/login`;
    const credential = JSON.stringify({ login_endpoint, private_key: pem, scheme: 'RS256', uid: 'mesh' });
    return serviceAccountAuthorization(parseServiceAccount(credential), tls);
  }

  beforeEach(() => {
    answer = (count) => ({ status: 200, token: `t${count}` });
  });

  test('logs in once for everything, and its name is the principal', async () => {
    master.authorization = 'token=t1';
    master.onCall = answerAgents;
    open({ authorization: await account() });
    await until(subscriptions(1));
    expect(await call()).toEqual({ outcome: 'accepted' });
    await agents();
    expect(logins).toBe(1);
    expect(master.received[0]?.body.subscribe?.framework_info.principal).toBe('mesh');
  });

  test('whose token is not taken any more logs in once more, and the call and the stream go on', async () => {
    open({ authorization: await account() });
    await until(subscriptions(1));
    master.authorization = 'token=t2';
    expect(await Promise.all([call(), call(), call()])).toEqual(Array(3).fill({ outcome: 'accepted' }));
    expect(logins).toBe(2);
    expect(downs).toEqual([]);
  });

  test('that is refused even with a new token is unauthorized, and is let in later', async () => {
    master.authorization = 'token=other';
    open({ authorization: await account() });
    await until(() => downs.length === 1);
    expect(downs[0]).toMatchObject({
      kind: 'unauthorized',
      reason: expect.stringMatching(/401 again after a new login/),
    });
    expect(master.received.map((one) => one.headers.authorization)).toEqual(['token=t1', 'token=t2']);
    master.authorization = null;
    await until(subscriptions(1));
  });

  test.each([
    [401, 'unauthorized', /login of 'mesh' .* answered 401/],
    [503, 'unreachable', /login of 'mesh' .* answered 503/],
  ])('whose login is answered %i asks no master, and is tried again', async (status, kind, message) => {
    answer = (count) => (count < 2 ? { status } : { status: 200, token: 't' });
    open({ authorization: await account() });
    await until(() => downs.length === 1);
    expect(downs[0]).toMatchObject({ kind, reason: expect.stringMatching(message) });
    expect(master.received).toEqual([]);
    await until(subscriptions(1));
  });

  test('logs in over TLS with the same authority', async () => {
    const tls = { ...localhost(), ca: authority() };
    open({ authorization: await account(tls) });
    await until(subscriptions(1));
    expect(logins).toBe(1);
  });
});

let certificates: Certificates;

beforeAll(() => {
  certificates = new Certificates();
  certificates.make('authority', 'Some Authority');
  certificates.make('localhost', 'localhost', 'authority');
});

afterAll(() => certificates.remove());

const authority = (): string => readFileSync(certificates.file('authority.pem'), 'utf8');

function localhost(): { key: Buffer; cert: Buffer } {
  return {
    key: readFileSync(certificates.file('localhost.key')),
    cert: readFileSync(certificates.file('localhost.pem')),
  };
}

describe('masters that speak TLS', () => {
  beforeEach(async () => {
    master = await new ScriptedMaster(localhost()).start();
    const secure = master;
    cleanups.push(() => secure.stop());
    master.onCall = answerAgents;
  });

  test('are trusted with the authority that is given, for the stream, calls and questions', async () => {
    open({ tls: { ca: authority() } });
    await until(subscriptions(1));
    expect(await call()).toEqual({ outcome: 'accepted' });
    expect(await agents()).toEqual({ agents: [], recovered_agents: [] });
  });

  test('are not trusted without it', async () => {
    open();
    await until(() => downs.length === 1);
    expect(downs[0]).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(/certificate.*give its certificate as the CA/),
    });
    expect(master.received).toEqual([]);
  });

  test('S7 redirect without a scheme, which stays https', async () => {
    const leader = await new ScriptedMaster(localhost()).start();
    cleanups.push(() => leader.stop());
    const { host } = new URL(leader.url);
    master.onSubscribe = (_received, response) =>
      response.writeHead(307, { location: `//${host}/master/api/v1/scheduler` }).end();
    open({ tls: { ca: authority() } });
    await until(subscriptions(1));
    expect(leader.received.map((one) => one.path)).toEqual(['/master/api/v1/scheduler']);
  });

  test('are not left for one without TLS: a credential would go in the clear', async () => {
    const plain = await new ScriptedMaster().start();
    cleanups.push(() => plain.stop());
    master.onSubscribe = (_received, response) =>
      response.writeHead(307, { location: `${plain.url}/api/v1/scheduler` }).end();
    open({ tls: { ca: authority() }, authorization: principalAuthorization('fw', SECRET) });
    await until(() => downs.length === 1);
    expect(downs[0]).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/from https:\/\/ to http:\/\//) });
    expect(plain.received).toEqual([]);
  });
});
