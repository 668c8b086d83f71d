import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createAdminServer, retire } from '../../../agent-proxy/admin/server.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { getJson, send, sendJson } from '../../fixtures/http.ts';
import { fakeHost, useAdmin } from './fake-host.ts';

test('ping is pong, the index lists what there is, and what is not there is 404', async () => {
  const url = await useAdmin();
  expect(await send(`${url}/admin/ping`)).toMatchObject({ status: 200, body: 'pong' });
  const index = await send(`${url}/`);
  expect(index).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
  expect(index.body).toContain('<a href="/admin/metrics/prometheus">');
  for (const path of ['/admin', '/admin/', '/help']) expect((await send(`${url}${path}`)).body).toBe(index.body);
  for (const path of ['/admin/nothing', '/admin/metrics', '/namer_state']) {
    expect((await send(`${url}${path}`)).status, path).toBe(404);
  }
});

test('each page that the index lists is there', async () => {
  const url = await useAdmin();
  const { body } = await send(`${url}/`);
  const links = [...body.matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(links.length).toBeGreaterThan(10);
  // These are about one thing, or of a telemeter: they say what is missing.
  const other: Readonly<Record<string, number>> = {
    '/delegator.json': 400,
    '/namer_state/*': 404,
    '/interpreter_state/*': 404,
    '/requests': 404,
  };
  for (const path of links.filter((link) => !link.includes('profile'))) {
    expect([path, (await send(`${url}${path}`)).status]).toEqual([path, other[path] ?? 200]);
  }
});

test('a page wants its method, and HEAD is GET without a body', async () => {
  let isDown = false;
  const url = await useAdmin({
    shutdown: () => {
      isDown = true;
    },
  });
  expect(await send(`${url}/admin/shutdown`)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  expect(isDown).toBe(false);
  expect((await send(`${url}/admin/ping`, { method: 'PUT' })).status).toBe(405);
  for (const path of ['/admin/ping', '/admin/metrics/prometheus', '/admin/table']) {
    expect(await send(`${url}${path}`, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  }
  expect((await send(`${url}/admin/shutdown`, { method: 'POST' })).status).toBe(202);
  await eventually('it shuts down', () => isDown);
});

test('readiness says why not', async () => {
  const url = await useAdmin({ notReady: () => 'The listeners are not bound yet.' });
  expect(await send(`${url}/admin/ready`)).toMatchObject({ status: 503, body: 'The listeners are not bound yet.' });
});

test('metrics.json gives a subtree, a tree, and lines for people; a subtree that is not there is 404', async () => {
  const url = await useAdmin();
  const ask = (query: string) => send(`${url}/admin/metrics.json?${query}`);
  expect(JSON.parse((await ask('')).body)).toEqual({ 'control/revision': 3, 'control/connected': 1 });
  expect((await send(`${url}/metrics.json`)).body).toBe((await ask('')).body);
  expect(JSON.parse((await ask('q=control')).body)).toEqual({ connected: 1, revision: 3 });
  expect(JSON.parse((await ask('tree=true&q=control')).body)).toMatchObject({ connected: { gauge: 1 } });
  expect((await ask('pretty=true&q=control')).body).toContain('\n  "connected": 1,\n');
  expect((await ask('q=control/revision')).body).toBe('{"":3}\n');
  const missing = await ask('q=control/nothing');
  expect(missing).toMatchObject({ status: 404, headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(missing.body)).toEqual({ error: 'there is no subtree control/nothing' });
});

test('Prometheus finds its metrics where they are configured', async () => {
  const url = await useAdmin({}, { prometheusPath: '/metrics' });
  expect((await send(`${url}/metrics`)).body).toBe('control:revision 3.0\ncontrol:connected 1.0\n');
  expect((await send(`${url}/admin/metrics/prometheus`)).status).toBe(404);
});

test('the configuration shows no secret', async () => {
  const url = await useAdmin({ config: () => ({ namers: [{ password: 'hunter2', uri: 'http://joe:pw@host/' }] }) });
  expect(await getJson(`${url}/config.json`)).toEqual({ namers: [{ password: '***', uri: 'http://***@host/' }] });
});

test('off loopback all but ping, readiness and metrics needs a token', async () => {
  const url = await useAdmin({ guard: { listenIp: '10.0.0.1', clusterKey: 'cluster', token: 'admin' } });
  for (const path of [
    '/admin/ping',
    '/admin/ready',
    '/admin/metrics.json',
    '/metrics.json',
    '/admin/metrics/prometheus',
  ]) {
    expect([path, (await send(`${url}${path}`)).status]).toEqual([path, 200]);
  }
  for (const path of [
    '/',
    '/config.json',
    '/admin/table',
    '/logging.json',
    '/delegator.json?path=/a',
    '/server_info',
  ]) {
    const refused = await send(`${url}${path}`);
    expect([path, refused.status]).toEqual([path, 401]);
    expect(refused.headers['www-authenticate']).toContain('Bearer');
    for (const token of ['cluster', 'admin']) {
      const headers = { Authorization: `Bearer ${token}` };
      expect([path, (await send(`${url}${path}`, { headers })).status]).toEqual([path, 200]);
    }
    expect((await send(`${url}${path}`, { headers: { Authorization: 'Bearer other' } })).status).toBe(401);
  }
  const open = await useAdmin({ guard: { listenIp: '0.0.0.0', clusterKey: null, token: null } });
  expect((await send(`${open}/config.json`, { headers: { Authorization: 'Bearer null' } })).status).toBe(403);
});

test("a page of another site cannot use a browser on the proxy's node to shut it down", async () => {
  let isDown = false;
  const url = await useAdmin({
    shutdown: () => {
      isDown = true;
    },
  });
  for (const Origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
    expect((await send(`${url}/admin/shutdown`, { method: 'POST', headers: { Origin } })).status).toBe(403);
  }
  expect(isDown).toBe(false);
  expect((await send(`${url}/admin/shutdown`, { method: 'POST', headers: { Origin: url } })).status).toBe(202);
});

test('a page that is not served by configuration does not exist, with a slash at its end neither', async () => {
  const security = { uiEnabled: true, controlEnabled: false, diagnosticsEnabled: true };
  const url = await useAdmin({}, { security: { ...security, pathWhitelist: [], pathBlacklist: ['/admin/table'] } });
  for (const path of ['/admin/shutdown', '/admin/shutdown/', '/logging.json']) {
    expect((await send(`${url}${path}`, { method: 'POST' })).status).toBe(404);
  }
  for (const path of ['/admin/table', '/admin/table/']) expect((await send(`${url}${path}`)).status).toBe(404);
  expect((await send(`${url}/config.json`)).status).toBe(200);
});

test("announcements are the mesh's own and get past a configuration that serves nothing", async () => {
  const none = { uiEnabled: false, controlEnabled: false, diagnosticsEnabled: false };
  const heard: unknown[] = [];
  const announce = (announced: unknown) => {
    heard.push(announced);
    return { accepted: true } as const;
  };
  const url = await useAdmin({ announce }, { security: { ...none, pathWhitelist: [], pathBlacklist: [] } });
  const body = { epoch: 2, schedulers: ['http://10.0.0.1:1'] };
  expect((await sendJson('POST', `${url}/control/v1/announce`, body)).status).toBe(204);
  expect(heard).toEqual([body]);
  expect((await send(`${url}/admin/ping`)).status).toBe(404);
});

test.each([{ epoch: 1 }, { epoch: 0, schedulers: ['http://a'] }, { epoch: 1, schedulers: [] }, 'text', null])(
  'an announcement %j is a bad request',
  async (body) => {
    const url = await useAdmin({ announce: () => ({ accepted: true }) });
    expect((await sendJson('POST', `${url}/control/v1/announce`, body)).status).toBe(400);
  },
);

test('an announcement of an old scheduler is told the epoch that it is below', async () => {
  const url = await useAdmin({ announce: () => ({ accepted: false, highest: 7 }) });
  const answer = await sendJson('POST', `${url}/control/v1/announce`, { epoch: 1, schedulers: ['http://a:1'] });
  expect(answer.status).toBe(409);
  expect(JSON.parse(answer.body)).toMatchObject({ epoch: 7 });
});

test('state is shown of what is there, without its secrets', async () => {
  const url = await useAdmin({
    namerState: (prefix) => (prefix === 'io.l5d.marathon' ? { state: 'ok', token: 'x' } : null),
    interpreterState: (name) => (name === 'default/#' ? { state: 'ok' } : null),
  });
  expect(await getJson(`${url}/namer_state/io.l5d.marathon.json`)).toEqual({ state: 'ok', token: '***' });
  expect(await getJson(`${url}/interpreter_state/default/%23.json`)).toEqual({ state: 'ok' });
  for (const path of ['/namer_state/io.l5d.fs.json', '/interpreter_state/%zz.json', '/namer_state/.json']) {
    expect((await send(`${url}${path}`)).status).toBe(404);
  }
});

test('the state of many clients is one object', async () => {
  const clients = Array.from(
    { length: 3_000 },
    (_, index) => [`#/io.l5d.fs/"${index}"`, { token: 'x', load: index }] as const,
  );
  const url = await useAdmin({ clientState: () => clients });
  const state = await getJson<Record<string, unknown>>(`${url}/client_state.json`);
  expect(state['#/io.l5d.fs/"7"']).toEqual({ token: '***', load: 7 });
  expect(Object.keys(state)).toHaveLength(3_000);
});

test('a long answer waits for its reader, and gathers no listeners meanwhile', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => void warnings.push(warning);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const piece = 'x'.repeat(200_000);
  async function* table() {
    for (let index = 0; index < 100; index += 1) yield piece;
  }
  const { body } = await send(`${await useAdmin({ table })}/admin/table`);
  expect(body).toHaveLength(100 * piece.length);
  expect(warnings).toEqual([]);
});

test('pieces that share their bytes reach a reader who is slow as they were', async () => {
  const shared = Buffer.alloc(100_000);
  async function* prometheus() {
    for (let index = 0; index < 100; index += 1) yield shared.fill(0x41 + (index % 26));
  }
  const url = await useAdmin({ prometheus });
  const text = await new Promise<string>((resolve, reject) => {
    const reader = request(`${url}/admin/metrics/prometheus`, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (piece: string) => {
        body += piece;
        response.pause();
        setImmediate(() => response.resume());
      });
      response.on('end', () => resolve(body)).on('error', reject);
    });
    reader.on('error', reject).end();
  });
  for (let index = 0; index < 100; index += 1) {
    const piece = text.slice(index * shared.length, (index + 1) * shared.length);
    expect(piece === String.fromCharCode(0x41 + (index % 26)).repeat(shared.length), `piece ${index}`).toBe(true);
  }
});

test('nothing more is rendered for a reader who is gone', async () => {
  let isOver = false;
  async function* table() {
    try {
      for (;;) yield 'x'.repeat(100_000);
    } finally {
      isOver = true;
    }
  }
  const url = await useAdmin({ table });
  const reader = request(`${url}/admin/table`, (response) => response.once('data', () => response.destroy()));
  reader.on('error', () => undefined);
  reader.end();
  await eventually('the rendering is over', () => isOver);
});

test('recent requests are shown as text, whatever is in them', async () => {
  const row = {
    time: '2026-01-01T00:00:00.000Z',
    source: '10.0.0.1:1',
    server: '127.0.0.1:4140',
    router: 'http',
    logical: '/svc/<script>alert(1)</script>',
    concrete: '/#/io.l5d.fs/web',
    destination: '10.0.0.2:8080',
    status: '200',
    reason: '-',
  };
  const { body } = await send(`${await useAdmin({ recentRequests: () => [row] })}/requests`);
  expect(body).toContain('<td>/svc/&lt;script&gt;alert(1)&lt;/script&gt;</td><td>/#/io.l5d.fs/web</td>');
  expect(body).not.toContain('<script>');
});

test('a CPU profile is what developer tools read, and there is one at a time', async () => {
  const url = await useAdmin();
  const first = send(`${url}/admin/pprof/profile?seconds=0.3`);
  const second = await eventually('the first has begun', async () => {
    const answer = await send(`${url}/admin/pprof/profile?seconds=0.01`);
    return answer.status === 409 ? answer : null;
  });
  expect(second.status).toBe(409);
  const profile = await first;
  expect(profile.headers['content-disposition']).toContain('.cpuprofile');
  expect(Object.keys(JSON.parse(profile.body) as object)).toEqual(expect.arrayContaining(['nodes', 'samples']));
  for (const seconds of ['0', '-1', '61', 'x']) {
    expect((await send(`${url}/admin/pprof/profile?seconds=${seconds}`)).status).toBe(400);
  }
});

test('an error of the host is told, and the server goes on', async () => {
  const url = await useAdmin({ boundNames: () => Promise.reject(new Error('the folder is gone')) });
  expect(await send(`${url}/bound-names.json`)).toMatchObject({ status: 500, body: 'the folder is gone' });
  expect((await send(`${url}/admin/ping`)).status).toBe(200);
});

test('a server that has a successor answers who has connected already, and accepts nobody else', async () => {
  const server = createAdminServer(fakeHost());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const early = connect(port, '127.0.0.1');
  await Promise.all([once(server, 'connection'), once(early, 'connect')]);
  const ping = async (): Promise<string> => {
    early.write('GET /admin/ping HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = (await once(early, 'data')) as [string];
    return answer;
  };
  early.setEncoding('latin1');
  // Idle then, as that of a collector between two questions.
  await ping();
  let isOver = false;
  const retired = retire(server).then(() => {
    isOver = true;
  });
  expect(await ping()).toMatch(/^HTTP\/1.1 200 /);
  const late = connect(port, '127.0.0.1');
  const [refused] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  expect(refused.code).toBe('ECONNREFUSED');
  expect(isOver).toBe(false);
  // What says nothing more does not stay for ever.
  await Promise.all([once(early, 'close'), retired]);
});
