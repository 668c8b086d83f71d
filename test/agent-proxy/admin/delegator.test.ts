import { expect, test } from 'vitest';
import type { DelegateQuestion } from '../../../agent-proxy/admin/host.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send, sendJson } from '../../fixtures/http.ts';
import { useAdmin } from './fake-host.ts';

const TREE = { type: 'neg', path: '/svc/web' } as const;

async function useDelegator() {
  const asked: DelegateQuestion[] = [];
  const url = await useAdmin({
    delegate(question) {
      asked.push(question);
      return Promise.resolve({ kind: 'tree', tree: TREE });
    },
  });
  return { url: `${url}/delegator.json`, asked };
}

test('GET and POST ask the same and get the same, by router or by namespace', async () => {
  const { url, asked } = await useDelegator();
  const question = { router: 'http', path: '/svc/web', dtab: '/svc => /#/io.l5d.fs' };
  const { router, path, dtab } = question;
  const answers = [
    await send(`${url}?${new URLSearchParams(question)}`),
    await send(`${url}?${new URLSearchParams({ namespace: router, path, dtab })}`),
    await sendJson('POST', url, question),
    await sendJson('POST', url, { namespace: router, path, dtab }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual(TREE);
  }
  expect(asked).toEqual([question, question, question, question]);
  await send(`${url}?path=/svc/web`);
  expect(asked.at(-1)).toEqual({ router: null, path: '/svc/web', dtab: '' });
});

test.each([
  ['text/plain', '{"path": "/a"}', 415],
  ['application/json', '{"path": ', 400],
  ['application/json', '{"dtab": "/a => /b"}', 400],
  ['application/json', '{"path": "/a", "dtab": 1}', 400],
  ['application/json', '["/a"]', 400],
  ['application/json', 'null', 400],
  ['application/json', `{"path": "/${'a'.repeat(2_000_000)}"}`, 400],
  ['application/json; charset=utf-8', '{"path": "/a"}', 200],
])('a body of type %s that says %.30s gives its status', async (type, body, status) => {
  const { url } = await useDelegator();
  expect((await send(url, { method: 'POST', headers: { 'Content-Type': type }, body })).status).toBe(status);
});

test('without a path there is nothing to look up', async () => {
  const { url, asked } = await useDelegator();
  expect(await send(`${url}?dtab=/a=>/b`)).toMatchObject({ status: 400 });
  expect(asked).toEqual([]);
});

test('what cannot be read, or not be said, has its status and its reason', async () => {
  for (const status of [400, 404, 501, 503] as const) {
    const url = await useAdmin({ delegate: () => Promise.resolve({ kind: 'refused', status, why: 'because' }) });
    expect(await send(`${url}/delegator.json?path=/a`)).toMatchObject({ status, body: 'because' });
  }
});

test('who waits for a name that nobody can say gets 503, and the host is told to stop', async () => {
  let signal: AbortSignal | null = null;
  const url = await useAdmin(
    {
      delegate(_question, given) {
        signal = given;
        return new Promise(() => undefined);
      },
    },
    { delegateTimeoutMs: 20 },
  );
  const answer = await send(`${url}/delegator.json?path=/svc/web`);
  expect(answer.status).toBe(503);
  expect(answer.body).toContain('/svc/web could not be looked up within 20 ms');
  await eventually('the host is told', () => signal?.aborted);
});
