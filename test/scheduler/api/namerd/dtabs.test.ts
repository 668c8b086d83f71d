/** namerd's `/api/1/dtabs` over real HTTP: the cases of its own controller's tests, and what is our own. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_NAMESPACE } from '../../../../agent-proxy/routing/table-names/namespace.ts';
import { Watch } from '../../support/namerd-client.ts';
import { type SchedulerUnderTest, useScheduler } from '../../support/use-scheduler.ts';

const use = useScheduler();
const DTAB = { 'content-type': 'application/dtab' };
const FIRST = 'AAAAAAAAAAE=';
const SECOND = 'AAAAAAAAAAI=';

async function send(
  { url }: SchedulerUnderTest,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = DTAB,
) {
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers };
}

const put = (scheduler: SchedulerUnderTest, ns: string, body: string, headers = {}) =>
  send(scheduler, 'PUT', `/api/1/dtabs/${ns}`, body, { ...DTAB, ...headers });

describe('the list', () => {
  test('is sorted JSON with a newline, also with a slash behind', async () => {
    const scheduler = await use.start();
    for (const ns of ['yeezus', 'pablo']) await put(scheduler, ns, '/yeezy => /yeezus');
    for (const path of ['/api/1/dtabs', '/api/1/dtabs/']) {
      const { status, text, headers } = await send(scheduler, 'GET', path);
      expect([status, text]).toEqual([200, '["default","pablo","yeezus"]\n']);
      expect(headers.get('content-type')).toBe('application/json');
    }
    expect((await send(scheduler, 'GET', '/api/1/dtabsX')).status).toBe(404);
  });

  test('is watched: the list of now, a line for each namespace that comes or goes, none for an update', async () => {
    const scheduler = await use.start();
    const watch = new Watch(`${scheduler.url}/api/1/dtabs?watch=true`);
    expect(await watch.line(1)).toEqual(['default']);
    expect(watch.headers['transfer-encoding']).toBe('chunked');
    await put(scheduler, 'graduation', '/yeezy => /kanye');
    expect(await watch.line(2)).toEqual(['default', 'graduation']);
    await put(scheduler, 'graduation', '/yeezy => /west');
    await send(scheduler, 'DELETE', '/api/1/dtabs/graduation');
    expect(await watch.line(3)).toEqual(['default']);
    watch.close();
  });
});

describe('a namespace', () => {
  test('default is there from the first start', async () => {
    const scheduler = await use.start();
    const { text, headers } = await send(scheduler, 'GET', '/api/1/dtabs/default');
    expect(headers.get('etag')).toBe(FIRST);
    const dentries = JSON.parse(text) as { prefix: string; dst: string }[];
    expect(dentries.map(({ prefix, dst }) => `${prefix} => ${dst}`).join(' ; ')).toBe(DEFAULT_NAMESPACE.dtab);
  });

  test('is read as JSON, or as text where that is asked for', async () => {
    const scheduler = await use.start();
    await put(scheduler, 'pablo', '# the album\n/yeezy => /pablo ;\n/x => 1 * /y & 9 * /z;\n');
    const path = '/api/1/dtabs/pablo';
    const json = '[{"prefix":"/yeezy","dst":"/pablo"},{"prefix":"/x","dst":"/y & 9.00*/z"}]\n';
    for (const accept of [undefined, 'application/json', '*/*', 'image/png', 'application/json, text/plain']) {
      const { status, text, headers } = await send(scheduler, 'GET', path, undefined, accept ? { accept } : {});
      expect([status, text]).toEqual([200, json]);
      expect([headers.get('content-type'), headers.get('etag')]).toEqual(['application/json', FIRST]);
    }
    for (const [accept, type] of [
      ['text/plain', 'text/plain'],
      ['application/dtab', 'application/dtab'],
      ['image/png, application/dtab;q=0.5, application/json', 'application/dtab'],
    ] as const) {
      const { text, headers } = await send(scheduler, 'GET', path, undefined, { accept });
      expect(text).toBe('/yeezy=>/pablo;/x=>/y & 9.00*/z\n');
      expect(headers.get('content-type')).toBe(type);
    }
  });

  test('that is not there is 404, and HEAD has the headers alone', async () => {
    const scheduler = await use.start();
    expect((await send(scheduler, 'GET', '/api/1/dtabs/graduation')).status).toBe(404);
    expect((await send(scheduler, 'HEAD', '/api/1/dtabs/graduation')).status).toBe(404);
    const { status, text, headers } = await send(scheduler, 'HEAD', '/api/1/dtabs/default');
    expect([status, text, headers.get('etag'), headers.get('content-length')]).toEqual([200, '', FIRST, null]);
  });

  test('is made with POST, once', async () => {
    const scheduler = await use.start();
    const post = (body: string, headers: Record<string, string> = DTAB) =>
      send(scheduler, 'POST', '/api/1/dtabs/graduation', body, headers);
    const json = { 'content-type': 'application/json' };
    expect((await post('/yeezy', DTAB)).status).toBe(400);
    expect((await post('/yeezy => /kanye', { 'content-type': 'image/png' })).status).toBe(400);
    for (const bad of ['', '{', '{}', '[null]', '[{"prefix":null,"dst":"/x"}]', '[{"prefix":"/x"}]']) {
      expect((await post(bad, json)).status).toBe(400);
    }
    expect(await post('[{"prefix":"/yeezy","dst":"/kanye"}]', json)).toMatchObject({ status: 204, text: '' });
    expect((await post('/yeezy => /kanye')).status).toBe(409);
    const { text } = await send(scheduler, 'GET', '/api/1/dtabs/graduation', undefined, { accept: 'text/plain' });
    expect(text).toBe('/yeezy=>/kanye\n');
  });

  test('may be empty, but not without a content type', async () => {
    const scheduler = await use.start();
    expect((await put(scheduler, 'empty', '')).status).toBe(204);
    expect((await send(scheduler, 'GET', '/api/1/dtabs/empty')).text).toBe('[]\n');
    const body = new TextEncoder().encode('/x => /y');
    expect((await fetch(`${scheduler.url}/api/1/dtabs/a`, { method: 'PUT', body })).status).toBe(400);
  });

  test('is written with PUT: without If-Match always, with it only in that version', async () => {
    const scheduler = await use.start();
    expect(await put(scheduler, 'pablo', '/yeezy => /pablo')).toMatchObject({ status: 204, text: '' });
    expect((await put(scheduler, 'pablo', '/yeezy => /1', { 'if-match': FIRST })).status).toBe(204);
    expect((await put(scheduler, 'pablo', '/yeezy => /2', { 'if-match': FIRST })).status).toBe(412);
    expect((await put(scheduler, 'pablo', '/yeezy => /2', { 'if-match': 'yolo' })).status).toBe(412);
    const read = () => send(scheduler, 'GET', '/api/1/dtabs/pablo', undefined, { accept: 'text/plain' });
    expect(await read()).toMatchObject({ text: '/yeezy=>/1\n' });
    expect((await read()).headers.get('etag')).toBe(SECOND);
    expect((await put(scheduler, 'pablo', '/yeezy => /2', { 'if-match': `"${SECOND}"` })).status).toBe(204);
    expect((await put(scheduler, 'graduation', '/yeezy => /2', { 'if-match': FIRST })).status).toBe(404);
    expect((await put(scheduler, 'graduation', '/yeezy => /2', { 'if-match': '*' })).status).toBe(404);
  });

  test('is deleted with DELETE, and 404 then; its versions are not used again', async () => {
    const scheduler = await use.start();
    await put(scheduler, 'pablo', '/yeezy => /pablo');
    const path = '/api/1/dtabs/pablo';
    expect((await send(scheduler, 'DELETE', path, undefined, { 'if-match': SECOND })).status).toBe(412);
    expect(await send(scheduler, 'DELETE', path)).toMatchObject({ status: 204, text: '' });
    expect((await send(scheduler, 'DELETE', path)).status).toBe(404);
    expect((await send(scheduler, 'GET', path)).status).toBe(404);
    await put(scheduler, 'pablo', '/yeezy => /pablo');
    expect((await put(scheduler, 'pablo', '/yeezy => /2', { 'if-match': FIRST })).status).toBe(412);
  });

  test('that is broken is 400 with line and column', async () => {
    const scheduler = await use.start();
    const { status, text } = await put(scheduler, 'a', '/svc => /host ;\n/host => $$ ;\n');
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      line: 2,
      column: 11,
      error: expect.stringContaining('line 2, column 11'),
    });
    const json = '[{"prefix":"/a","dst":"/b"},{"prefix":"/a","dst":"/b | "}]';
    const second = await put(scheduler, 'a', json, { 'content-type': 'application/json' });
    expect([second.status, second.text]).toEqual([400, expect.stringContaining('dentry 2')]);
  });

  test('has a name and a size that have limits', async () => {
    const scheduler = await use.start();
    expect((await put(scheduler, 'a%2fb', '/x => /y')).status).toBe(400);
    expect((await put(scheduler, 'x'.repeat(101), '/x => /y')).status).toBe(400);
    expect((await put(scheduler, 'large', `# ${'x'.repeat(50_000)}`)).status).toBe(413);
    expect((await put(scheduler, 'large', `# ${'x'.repeat(500_000)}`)).status).toBe(413);
  });

  test('that the state store does not take is 503, and nothing has changed', async () => {
    const scheduler = await use.start();
    await put(scheduler, 'a', '/x => /1');
    const folder = join(use.directory, 'state', 'dtabs');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    const refused = await put(scheduler, 'a', '/x => /2');
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('"error":"cannot')]);
    expect((await send(scheduler, 'DELETE', '/api/1/dtabs/a')).status).toBe(503);
    expect((await send(scheduler, 'GET', '/api/1/dtabs/a')).text).toBe('[{"prefix":"/x","dst":"/1"}]\n');
    expect((await scheduler.get('/v1/audit')).json).toHaveLength(1);
  });

  test('is watched: waits for it, tells each change once, and an empty dtab when it is gone', async () => {
    const scheduler = await use.start();
    const json = new Watch(`${scheduler.url}/api/1/dtabs/graduation?watch=true`);
    const text = new Watch(`${scheduler.url}/api/1/dtabs/graduation?watch=true`, { accept: 'text/plain' });
    const dtab = (dst: string) => [{ prefix: '/yeezy', dst }];
    await Promise.all([json.answered(), text.answered()]);
    await put(scheduler, 'graduation', '/yeezy => /kanye');
    expect(await json.line(1)).toEqual(dtab('/kanye'));
    await put(scheduler, 'graduation', '/yeezy=>/kanye');
    await put(scheduler, 'graduation', '/yeezy => /west');
    expect(await json.line(2)).toEqual(dtab('/west'));
    await send(scheduler, 'DELETE', '/api/1/dtabs/graduation');
    expect(await json.line(3)).toEqual([]);
    await put(scheduler, 'graduation', '/yeezy => /back');
    expect(await json.line(4)).toEqual(dtab('/back'));
    expect(text.lines).toEqual(['/yeezy=>/kanye', '/yeezy=>/west', '', '/yeezy=>/back']);
    json.close();
    text.close();
  });
});

describe('our own', () => {
  test('a namespace as it was written, its history, and the way back', async () => {
    const scheduler = await use.start();
    await put(scheduler, 'a', '# one\n/x => /1');
    await put(scheduler, 'a', '/x => /2');
    expect((await scheduler.get('/v1/dtabs')).json).toMatchObject([
      { name: 'a', version: 2, dentries: 1 },
      { name: 'default', version: 1, dentries: 4 },
    ]);
    expect((await scheduler.get('/v1/dtabs/a')).json).toMatchObject({ version: 2, etag: SECOND, dtab: '/x => /2' });
    const revert = (body?: object) =>
      send(scheduler, 'POST', '/v1/dtabs/a/revert', body === undefined ? undefined : JSON.stringify(body));
    expect(JSON.parse((await revert()).text)).toMatchObject({ version: 3, revertedTo: 1, deleted: false });
    expect((await scheduler.get('/v1/dtabs/a')).json).toMatchObject({ dtab: '# one\n/x => /1' });
    await send(scheduler, 'DELETE', '/api/1/dtabs/a');
    expect(JSON.parse((await revert({})).text)).toMatchObject({ version: 5, revertedTo: 3 });
    expect(JSON.parse((await revert({ version: 2 })).text)).toMatchObject({ version: 6, revertedTo: 2 });
    expect((await revert({ version: 99 })).status).toBe(404);
    expect((await scheduler.get('/v1/dtabs/a/history')).json).toMatchObject([
      { version: 6, dtab: '/x => /2', what: 'reverted to version 2', by: '127.0.0.1' },
      { version: 5 },
      { version: 4, dtab: null, what: 'deleted' },
      { version: 3 },
      { version: 2 },
      { version: 1, dtab: '# one\n/x => /1' },
    ]);
    expect((await scheduler.get('/v1/dtabs/never/history')).status).toBe(404);
  });

  test('every write of the API is in the audit log, those that were refused are not', async () => {
    const scheduler = await use.start();
    await put(scheduler, 'a', '/x => /1');
    await put(scheduler, 'a', '/x =>');
    await put(scheduler, 'a', '/x => /2');
    await send(scheduler, 'POST', '/v1/freeze', '{}');
    const { json } = await scheduler.get('/v1/audit');
    expect(json).toMatchObject([
      { who: '127.0.0.1', what: 'POST /v1/freeze', target: null, status: 200 },
      { what: 'PUT /api/1/dtabs/a', target: 'dtab a', from: 1, to: 2, status: 204 },
      { what: 'PUT /api/1/dtabs/a', target: 'dtab a', from: null, to: 1, status: 204 },
    ]);
    expect((await scheduler.get('/v1/audit?limit=1')).json).toHaveLength(1);
    expect((await scheduler.get('/v1/audit?target=dtab%20a')).json).toHaveLength(2);
    expect((await scheduler.get('/v1/audit?limit=0')).status).toBe(400);
  });

  test('namespaces and the audit log are there after a restart', async () => {
    const scheduler = await use.start();
    await put(scheduler, 'a', '/x => /1');
    await scheduler.stop();
    const again = await use.start();
    expect((await again.get('/v1/dtabs/a')).json).toMatchObject({ version: 1, dtab: '/x => /1' });
    expect((await again.get('/v1/audit')).json).toMatchObject([{ target: 'dtab a' }]);
  });
});
