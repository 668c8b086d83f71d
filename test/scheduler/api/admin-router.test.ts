/** The API behind Admin Router: under its prefix, streams included, and whose writes are let through. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { judge } from '../../../scheduler/api/admin-router.ts';
import { AdminRouter } from '../../fixtures/admin-router.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();
let router: AdminRouter | null = null;
const streams: AbortController[] = [];

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.abort();
  await router?.stop();
  router = null;
});

/** A token as the stand-in takes it. */
function tokenOf(uid: string, id = '1'): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'RS256' })}.${encode({ uid, id })}.c2ln`;
}

const ALICE = tokenOf('alice');
const BOB = tokenOf('bob');

async function start({ open = false, args = [] }: { open?: boolean; args?: string[] } = {}) {
  const services = new Map<string, string>();
  const judged = (token: string) => (token === ALICE ? 200 : token === BOB ? 403 : 401);
  const adminRouter = await AdminRouter.start({ services, judge: open ? null : judged });
  router = adminRouter;
  const scheduler = await use.start({
    nodes: { S1: { taskId: taskId('p1'), ip: '127.0.36.1' } },
    args: ['--listen=0.0.0.0:0', '--advertise=http://127.0.0.1:1', `--admin-router=${adminRouter.url}`, ...args],
  });
  const direct = scheduler.running.url;
  services.set('nodemesh', direct);
  const base = `${adminRouter.url}/service/nodemesh`;
  const freeze = (where: string, headers: Record<string, string> = {}) =>
    send(`${where}/v1/freeze`, { method: 'POST', headers });
  return { adminRouter, scheduler, direct, base, freeze };
}

const bearing = (token: string): Record<string, string> => ({ authorization: `token=${token}` });

async function lines(url: string): Promise<string[]> {
  const stream = new AbortController();
  streams.push(stream);
  const response = await fetch(url, { headers: bearing(ALICE), signal: stream.signal });
  const heard: string[] = [];
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = async (): Promise<void> => {
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) heard.push(next.value);
  };
  read().catch(() => undefined);
  return heard;
}

describe('reads under the prefix', () => {
  test('are those of the API, and need a token there', async () => {
    const { base, direct } = await start();
    expect((await send(`${base}/v1/health`)).status).toBe(401);
    const answer = await send(`${base}/v1/nodes`, { headers: bearing(ALICE) });
    expect(JSON.parse(answer.body)).toEqual(JSON.parse((await send(`${direct}/v1/nodes`)).body));
    const page = await send(`${base}`, { headers: bearing(ALICE) });
    expect([page.status, page.headers.location]).toEqual([301, `${base}/`]);
    expect((await send(`${base}/`, { headers: bearing(ALICE) })).body).toContain('<title>nodemesh</title>');
  });

  test('may be streams: each event comes when it happens', async () => {
    const { base, scheduler } = await start();
    const events = await lines(`${base}/v1/events`);
    await eventually('the first event', () => events.length === 1);
    expect(events[0]).toMatch(/^event: mesh\ndata: \{.*"nodes":\{"unhealthy":1\}.*\}\n\n$/);
    const dtabs = await lines(`${base}/api/1/dtabs/default?watch=true`);
    await eventually('the dtab', () => dtabs.length === 1);
    scheduler.framework.set('S1', { state: 'healthy', reason: null });
    await eventually('the change', () => events.some((event) => event.includes('"nodes":{"healthy":1}')));
    const put = { method: 'PUT', headers: { ...bearing(ALICE), 'content-type': 'application/dtab' }, body: '/a => /b' };
    expect((await send(`${base}/api/1/dtabs/default?force=true`, put)).status).toBe(204);
    await eventually('the new dtab', () => dtabs.length === 2);
  });
});

describe('writes', () => {
  test('of who may use the service are let through, by whichever way they come, and his name is kept', async () => {
    const { base, direct, freeze, scheduler, adminRouter } = await start();
    expect((await freeze(base, bearing(ALICE))).status).toBe(200);
    expect(scheduler.framework.frozen).toBe(true);
    expect((await send(`${direct}/v1/thaw`, { method: 'POST', headers: bearing(ALICE) })).status).toBe(200);
    const [entry] = JSON.parse((await send(`${direct}/v1/audit`)).body);
    expect(entry.who).toMatch(/^alice \(DC\/OS\), /);
    // The answer holds for a while.
    expect(adminRouter.log.filter((line) => line === 'GET /service/nodemesh/v1/health passed')).toHaveLength(1);
  });

  test('of others are not, whichever way they come: without a token, with a bad one, without the permission', async () => {
    const { base, direct, freeze, scheduler } = await start();
    for (const where of [base, direct]) {
      expect((await freeze(where)).status).toBe(401);
      expect((await freeze(where, bearing(tokenOf('alice', 'forged')))).status).toBe(401);
      expect((await freeze(where, bearing('words'))).status).toBe(401);
      expect((await freeze(where, bearing(BOB))).status).toBe(403);
    }
    expect((await freeze(direct)).body).toMatch(/no token: dcos auth login/);
    expect((await freeze(direct, bearing(BOB))).body).toContain(
      'dcos security org users grant bob dcos:adminrouter:service:nodemesh full',
    );
    expect(scheduler.framework.frozen).toBe(false);
  });

  test('of a page of another site are not, although the browser sends its cookie', async () => {
    const { base, freeze, scheduler, adminRouter } = await start();
    const cookie = `theme=dark; dcos-acs-auth-cookie=${ALICE}`;
    expect((await freeze(base, { cookie, origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await freeze(base, { cookie, origin: 'null' })).status).toBe(403);
    expect((await freeze(base, { cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(scheduler.framework.frozen).toBe(false);
    expect((await freeze(base, { cookie, origin: adminRouter.url })).status).toBe(200);
  });

  test('are 503 while Admin Router cannot be asked, and are let through when it can', async () => {
    const { direct, freeze, adminRouter } = await start();
    adminRouter.failures.push(502);
    const refused = await freeze(direct, bearing(ALICE));
    expect([refused.status, refused.body]).toEqual([503, expect.stringMatching(/answers 502 .* within a minute/)]);
    expect((await freeze(direct, bearing(ALICE))).status).toBe(200);
    await adminRouter.stop();
    router = null;
    const alone = await freeze(direct, bearing(tokenOf('carol')));
    expect([alone.status, alone.body]).toEqual([503, expect.stringMatching(/cannot be asked .*ECONNREFUSED/)]);
  });

  test('need the API token where Admin Router lets anybody through', async () => {
    const file = join(use.directory, 'api-token');
    writeFileSync(file, 'a-token-of-enough-length');
    const { base, freeze, scheduler } = await start({ open: true, args: [`--api-token-file=${file}`] });
    const refused = await freeze(base, bearing(ALICE));
    expect([refused.status, refused.body]).toEqual([401, expect.stringContaining('lets anybody through')]);
    expect(scheduler.framework.frozen).toBe(false);
    expect((await freeze(base, { authorization: 'Bearer a-token-of-enough-length' })).status).toBe(200);
  });
});

test.each([
  [200, 401, 'admitted', undefined],
  [200, 200, 'refused', 401],
  [200, 302, 'admitted', undefined],
  [401, 401, 'refused', 401],
  [403, 401, 'refused', 403],
  [404, 401, 'refused', 503],
  [301, 401, 'refused', 503],
  [308, 308, 'refused', 503],
  [500, 500, 'refused', 503],
])('Admin Router answers %i with the token and %i without: %s %s', (withToken, without, kind, status) => {
  expect(judge({ withToken, without, uid: 'alice', url: 'https://m', service: 'nodemesh' })).toMatchObject({
    kind,
    ...(status === undefined ? {} : { status }),
  });
});
