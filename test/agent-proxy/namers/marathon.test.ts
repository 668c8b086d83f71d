/** io.l5d.marathon against a fake Marathon on a real socket: M1 to M14 of linkerd's own tests, and where we do more. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { expect, it, onTestFinished } from 'vitest';
import { InetAddresses } from '../../../agent-proxy/namers/inet.ts';
import {
  type MarathonConfig,
  type MarathonCredentials,
  makeMarathonNamer,
} from '../../../agent-proxy/namers/make-marathon.ts';
import type { Unsubscribe } from '../../../agent-proxy/routing/activity.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { Certificates } from '../endpoint/certificates.ts';
import { type Answer, type Answers, app, apps, type FakeMarathon, fakeMarathon } from './fake-marathon.ts';

const CONFIG = {
  prefix: ['io.l5d.marathon'],
  host: '127.0.0.1',
  uriPrefix: '',
  ttlMs: 20,
  jitterMs: 5,
  useHealthCheck: false,
  shortestPrefix: false,
  tls: null,
};

interface Given extends Partial<MarathonConfig> {
  readonly credentials?: Partial<MarathonCredentials>;
  readonly server?: ServerOptions;
}

async function start({ credentials, server, ...config }: Given = {}) {
  const marathon = await fakeMarathon(server);
  const { namer, close } = makeMarathonNamer(
    { ...CONFIG, port: marathon.port, ...config },
    { serviceAccount: null, basic: null, ...credentials },
    {
      inet: new InetAddresses({
        lookup: (host) => Promise.resolve(host === 'agent.test' ? ['10.7.0.2', '10.7.0.1'] : []),
      }),
      random: Math.random,
      now: Date.now,
      warn: () => undefined,
    },
  );
  onTestFinished(close);
  /** Observes a path. What it gives shows how it is bound now. */
  const bind = (...rest: string[]): (() => string) & { stop: Unsubscribe } => {
    const lookup = namer.lookup(rest);
    const stop = lookup.observe(() => undefined);
    onTestFinished(stop);
    const shown = (): string => {
      const { state } = lookup;
      if (state.kind === 'failed') return `failed: ${state.reason}`;
      if (state.kind === 'pending') return 'pending';
      if (state.value.kind !== 'leaf' || state.value.value.kind !== 'bound') return state.value.kind;
      const { id, residual, addresses } = state.value.value.bound;
      const to =
        addresses.state.kind === 'bound'
          ? addresses.state.endpoints.map(({ address, port }) => `${address}:${port}`).join(' ')
          : addresses.state.kind;
      return `/${id.join('/')} + /${residual.join('/')} = ${to}`;
    };
    return Object.assign(shown, { stop });
  };
  return { marathon, namer, bind };
}

async function becomes(shown: () => string, expected: string | RegExp): Promise<void> {
  await eventually(String(expected), () => {
    if (typeof expected === 'string') expect(shown()).toBe(expected);
    else expect(shown()).toMatch(expected);
    return true;
  });
}

/** As many more polls as it takes to be sure that they changed nothing. */
async function someMore(marathon: FakeMarathon, what: string): Promise<void> {
  const until = marathon.count(what) + 3;
  await eventually(`polls of ${what}`, () => marathon.count(what) >= until);
}

function held(answer: Answer): { readonly answer: Answer; release(): void } {
  const gate: { release: () => void } = { release: () => undefined };
  const after = new Promise<void>((resolve) => {
    gate.release = resolve;
  });
  return { answer: { ...answer, after }, release: () => gate.release() };
}

const WEB = '/#/io.l5d.marathon/web + / = 10.0.0.1:80';

it('M1, M7: a name is pending until the list of apps has come', async () => {
  const { marathon, bind } = await start();
  const list = held(apps('web'));
  marathon.answers.set('/v2/apps', list.answer);
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  const web = bind('web');
  await eventually('the list is asked for', () => marathon.count('GET /v2/apps') === 1);
  expect(web()).toBe('pending');
  list.release();
  await becomes(web, WEB);
});

it('M2, M11: a name fails while there never was a list, and recovers', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', { status: 503 });
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  const web = bind('web');
  await becomes(
    web,
    new RegExp(`^failed: GET http://127.0.0.1:${marathon.port}/v2/apps: answered 503 instead of 200$`),
  );
  marathon.answers.set('/v2/apps', apps('web'));
  await becomes(web, WEB);
});

it('M3: a name is Neg while no app of that id is in the list', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('other'));
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  const web = bind('web');
  await becomes(web, 'neg');
  expect(marathon.count('GET /v2/apps/web')).toBe(0);
  marathon.answers.set('/v2/apps', apps('other', 'web'));
  await becomes(web, WEB);
  marathon.answers.set('/v2/apps', apps('other'));
  await becomes(web, 'neg');
});

it('M4: a name is Neg while its app has no addresses', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', []));
  const web = bind('web');
  await becomes(web, 'neg');
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  await becomes(web, WEB);
  marathon.answers.set('/v2/apps/web', app('web', []));
  await becomes(web, 'neg');
});

it('M5, M6, M10: what is left of a path is the residual, and ids are matched without case', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('service/name'));
  marathon.answers.set('/v2/apps/service/name', app('service/name', ['10.0.0.1:80', '10.0.0.2:81']));
  const bound = '/#/io.l5d.marathon/service/name';
  await becomes(bind('Service', 'NAME', 'Residual'), `${bound} + /Residual = 10.0.0.1:80 10.0.0.2:81`);
  expect(bind()()).toBe('neg');
});

it('M8, M9: a name is pending until its addresses have come', async () => {
  const { marathon, bind } = await start();
  const addresses = held(app('web', ['10.0.0.1:80']));
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', addresses.answer);
  const web = bind('web');
  await eventually('the app is asked for', () => marathon.count('GET /v2/apps/web') === 1);
  expect(web()).toBe('pending');
  addresses.release();
  await becomes(web, WEB);
});

it('M12: a name fails while there never were addresses, and recovers', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', { status: 500 });
  const web = bind('web');
  await becomes(web, /^failed: GET .*\/v2\/apps\/web.*: answered 500/);
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  await becomes(web, WEB);
});

it('M13: addresses are kept while Marathon is down, and followed when it is back', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  const web = bind('web');
  await becomes(web, WEB);
  marathon.down();
  await eventually('some attempts', () => marathon.refused >= 4);
  expect(web()).toBe(WEB);
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.9:80']));
  marathon.up();
  await becomes(web, '/#/io.l5d.marathon/web + / = 10.0.0.9:80');
});

it.each([
  ['500', { status: 500 }],
  ['404', { status: 404 }],
  ['no JSON', { body: '<html>' }],
  ['something else', { body: { message: 'error' } }],
])('M14: addresses are kept while the app is answered with %s', async (_what, answer) => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  const web = bind('web');
  await becomes(web, WEB);
  marathon.answers.set('/v2/apps/web', answer);
  await someMore(marathon, 'GET /v2/apps/web');
  expect(web()).toBe(WEB);
  marathon.answers.set('/v2/apps', answer);
  await someMore(marathon, 'GET /v2/apps');
  expect(web()).toBe(WEB);
});

it('an answer of another shape is no app where nothing is known yet', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', { body: { message: 'error' } });
  await becomes(bind('web'), 'neg');
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', { body: { message: 'error' } });
  const web = bind('web');
  await someMore(marathon, 'GET /v2/apps/web');
  expect(web()).toBe('neg');
});

it.each([
  [false, 'api/v2', '/#/io.l5d.marathon/api/v2 + /x = 10.0.0.2:80'],
  [true, 'api', '/#/io.l5d.marathon/api + /v2/x = 10.0.0.1:80'],
])('of two apps (shortestPrefix %s) %s is meant', async (shortestPrefix, _app, expected) => {
  const { marathon, bind } = await start({ shortestPrefix });
  marathon.answers.set('/v2/apps', apps('api', 'api/v2'));
  marathon.answers.set('/v2/apps/api', app('api', ['10.0.0.1:80']));
  marathon.answers.set('/v2/apps/api/v2', app('api/v2', ['10.0.0.2:80']));
  await becomes(bind('api', 'v2', 'x'), expected);
});

it('a port is found by name or index', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web'));
  const portDefinitions = [{ name: 'http' }, { name: 'admin' }];
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80'], { portDefinitions }));
  await becomes(bind('web:admin'), '/#/io.l5d.marathon/web:admin + / = 10.0.0.1:81');
  await becomes(bind('web:1', 'x'), '/#/io.l5d.marathon/web:1 + /x = 10.0.0.1:81');
});

it('hosts that are names are resolved, one address for a task', async () => {
  const { marathon, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', ['agent.test:80', '10.0.0.1:81']));
  await becomes(bind('web'), '/#/io.l5d.marathon/web + / = 10.7.0.1:80 10.0.0.1:81');
});

it('a task on a network of its own has its address there, and its agent its own', async () => {
  const { marathon, namer } = await start();
  marathon.answers.set('/v2/apps', apps('db'));
  const task = { id: 'db.1', slaveId: 'S1', host: '10.0.0.1', ports: [], state: 'TASK_RUNNING' };
  const ipAddresses = [{ ipAddress: '250.1.62.0', protocol: 'IPv4' }];
  const ipAddress = { discovery: { ports: [{ number: 8080, name: 'http' }] } };
  marathon.answers.set('/v2/apps/db', { body: { app: { id: '/db', ipAddress, tasks: [{ ...task, ipAddresses }] } } });
  const lookup = namer.lookup(['db']);
  onTestFinished(lookup.observe(() => undefined));
  const endpoint = await eventually('an address', () => {
    const { state } = lookup;
    if (state.kind !== 'ok' || state.value.kind !== 'leaf' || state.value.value.kind !== 'bound') return null;
    const { addresses } = state.value.value.bound;
    return addresses.state.kind === 'bound' ? addresses.state.endpoints[0] : null;
  });
  expect(endpoint).toMatchObject({
    instance: 'db.1',
    address: '250.1.62.0',
    port: 8080,
    agentId: 'S1',
    agentAddress: '10.0.0.1',
  });
});

const healthy = [{ alive: true }, { alive: true }];
const tasks = [
  { id: 't1', slaveId: 'S1', host: '10.0.0.1', ports: [1], state: 'TASK_RUNNING', healthCheckResults: healthy },
  {
    id: 't2',
    slaveId: 'S1',
    host: '10.0.0.1',
    ports: [2],
    state: 'TASK_RUNNING',
    healthCheckResults: [{ alive: true }],
  },
  {
    id: 't3',
    slaveId: 'S1',
    host: '10.0.0.1',
    ports: [3],
    state: 'TASK_RUNNING',
    healthCheckResults: [{ alive: false }],
  },
  { id: 't4', slaveId: 'S1', host: '10.0.0.1', ports: [4], state: 'TASK_KILLING', healthCheckResults: healthy },
  { id: 't5', slaveId: 'S1', host: '10.0.0.1', ports: [5], state: 'TASK_RUNNING' },
  { id: 't6', slaveId: 'S1', host: '10.0.0.1', ports: [], state: 'TASK_RUNNING', healthCheckResults: healthy },
];

it.each([
  [false, [{}, {}], '10.0.0.1:1 10.0.0.1:2 10.0.0.1:3 10.0.0.1:5'],
  [true, [{}, {}], '10.0.0.1:1'],
  [true, [], '10.0.0.1:1 10.0.0.1:2 10.0.0.1:3 10.0.0.1:5'],
  [true, null, '10.0.0.1:1 10.0.0.1:2 10.0.0.1:3 10.0.0.1:5'],
])('useHealthCheck %s with checks %j: the right tasks count', async (useHealthCheck, healthChecks, expected) => {
  const { marathon, bind } = await start({ useHealthCheck });
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', { body: { app: { id: '/web', tasks, healthChecks } } });
  await becomes(bind('web'), `/#/io.l5d.marathon/web + / = ${expected}`);
});

it('one list and one poll of each app serve all names, over kept connections, under the prefix', async () => {
  const { marathon, namer, bind } = await start({ uriPrefix: '/service/marathon' });
  marathon.answers.set('/service/marathon/v2/apps', apps('web', 'api'));
  marathon.answers.set('/service/marathon/v2/apps/web', app('web', ['10.0.0.1:80']));
  marathon.answers.set('/service/marathon/v2/apps/api', app('api', ['10.0.0.1:81']));
  const names = [bind('web'), bind('web', 'a'), bind('web', 'b'), bind('api')];
  for (const name of names) await becomes(name, /10\.0\.0\.1/);
  expect(namer.size).toBe(2);
  await someMore(marathon, 'GET /service/marathon/v2/apps');
  const lists = marathon.count('GET /service/marathon/v2/apps');
  expect(marathon.count('GET /service/marathon/v2/apps/web')).toBeLessThanOrEqual(lists * 2);
  expect(await marathon.connections()).toBeLessThanOrEqual(3);
  expect(marathon.requests[0]?.host).toBe(`127.0.0.1:${marathon.port}`);
});

it('apps that nobody observes are not polled, and nothing of them is kept', async () => {
  const { marathon, namer, bind } = await start();
  marathon.answers.set('/v2/apps', apps('web', 'api'));
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  marathon.answers.set('/v2/apps/api', app('api', ['10.0.0.1:81']));
  const web = bind('web');
  await becomes(web, WEB);
  web.stop();
  expect(namer.size).toBe(0);
  await becomes(bind('api'), /10\.0\.0\.1:81/);
  const before = marathon.count('GET /v2/apps/web');
  await someMore(marathon, 'GET /v2/apps/api');
  expect(marathon.count('GET /v2/apps/web')).toBe(before);
});

const LOGIN = '/acs/api/v1/auth/login';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

it('a service account logs in at its own endpoint, and again when it is refused', async () => {
  const iam = await fakeMarathon();
  let logins = 0;
  iam.answers.set(LOGIN, (_request, body) => {
    expect(JSON.parse(body)).toEqual({ uid: 'mesh', token: expect.any(String) });
    logins += 1;
    return { body: { token: `t${logins}` } };
  });
  const { marathon, bind } = await start({
    credentials: {
      serviceAccount: JSON.stringify({
        login_endpoint: `http://127.0.0.1:${iam.port}${LOGIN}`,
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        scheme: 'RS256',
        uid: 'mesh',
      }),
      basic: 'dXNlcjpwYXNz',
    },
  });
  let good = 'token=t1';
  const allowed =
    (answer: Answer): Answers =>
    (request) =>
      request.headers.authorization === good ? answer : { status: 401 };
  marathon.answers.set('/v2/apps', allowed(apps('web')));
  marathon.answers.set('/v2/apps/web', allowed(app('web', ['10.0.0.1:80'])));
  const web = bind('web');
  await becomes(web, WEB);
  expect(logins).toBe(1);
  good = 'token=t2';
  await eventually('a second login', () => logins === 2);
  marathon.answers.set('/v2/apps/web', allowed(app('web', ['10.0.0.2:80'])));
  await becomes(web, '/#/io.l5d.marathon/web + / = 10.0.0.2:80');
  expect(logins).toBe(2);
});

it('Basic is sent where it is configured, and a refusal is said', async () => {
  const { marathon, bind } = await start({ credentials: { basic: 'dXNlcjpwYXNz' } });
  marathon.answers.set('/v2/apps', { status: 401 });
  await becomes(bind('web'), /^failed: GET .*\/v2\/apps: answered 401; it does not take the configured credential$/);
  expect(marathon.requests[0]?.authorization).toBe('Basic dXNlcjpwYXNz');
});

it('a credential that is no good is refused at once', async () => {
  await expect(start({ credentials: { serviceAccount: '{}' } })).rejects.toThrow(/service account credential: /);
});

it('a kept connection that the server closes under a request is no failure', async () => {
  const { marathon, namer } = await start({ ttlMs: 60_000 });
  const used = new WeakSet<object>();
  const fresh =
    (answer: Answer): Answers =>
    (request) => {
      if (used.has(request.socket)) request.socket.destroy();
      used.add(request.socket);
      return answer;
    };
  marathon.answers.set('/v2/apps', fresh(apps('web')));
  marathon.answers.set('/v2/apps/web', fresh(app('web', ['10.0.0.1:80'])));
  const lookup = namer.lookup(['web']);
  onTestFinished(lookup.observe(() => undefined));
  await eventually('an outcome', () => lookup.state.kind !== 'pending');
  expect(lookup.state.kind).toBe('ok');
  expect(marathon.count('GET /v2/apps/web')).toBe(2);
});

it('Marathon is spoken to by TLS where it is configured, under the configured name', async () => {
  const certificates = new Certificates();
  onTestFinished(() => certificates.remove());
  certificates.make('ca', 'an authority');
  certificates.make('server', 'master.mesos', 'ca');
  const server = {
    cert: readFileSync(certificates.file('server.pem')),
    key: readFileSync(certificates.file('server.key')),
  };
  const trust = {
    trustFiles: [certificates.file('ca.pem')],
    disableValidation: false,
    clientAuth: null,
    protocols: null,
  };
  const { marathon, bind } = await start({ server, tls: { ...trust, commonName: 'master.mesos' } });
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', ['10.0.0.1:80']));
  await becomes(bind('web'), WEB);
  const other = await start({ server, tls: { ...trust, commonName: 'leader.mesos' } });
  await becomes(other.bind('web'), /^failed: GET https:.* altnames: Host: leader\.mesos\./);
});
