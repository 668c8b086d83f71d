/** What a proxy without a scheduler tells of its namers: what they know, how old it is, and that they get no answers. */
import { expect, test } from 'vitest';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type StaticProxy, useStaticProxy } from '../../fixtures/proxy.ts';
import { routed, useNames } from '../../fixtures/static-config.ts';
import { app, apps, fakeMarathon } from './fake-marathon.ts';

async function stateOf({ admin }: StaticProxy, prefix: string) {
  const answer = await send(`${admin}/namer_state/${prefix}.json`);
  return { status: answer.status, state: JSON.parse(answer.body) as Record<string, unknown> };
}

async function useMarathon() {
  const marathon = await fakeMarathon();
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', ['127.0.0.1:1']));
  const namers = [{ kind: 'io.l5d.marathon', host: '127.0.0.1', port: marathon.port, ttlMs: 20, jitterMs: 0 }];
  const proxy = await useStaticProxy(routed('/svc => /#/io.l5d.marathon', {}, { namers }));
  await send(proxy.url, { headers: { Host: 'web' } });
  return { marathon, proxy };
}

test('what Marathon said last of the list and of each app, and when', async () => {
  const { marathon, proxy } = await useMarathon();
  const polls = { askedAt: expect.any(String), answeredAt: expect.any(String), failures: 0, failure: null };
  expect(await stateOf(proxy, 'io.l5d.marathon')).toEqual({
    status: 200,
    state: {
      kind: 'io.l5d.marathon',
      marathon: `http://127.0.0.1:${marathon.port}`,
      list: { state: 'ok', apps: 1, polls },
      apps: { '/web': { state: 'bound', addresses: ['127.0.0.1:1'], polls, leftOut: [] } },
    },
  });
});

test('Marathon gives no answers any more: the state says why, and the log once, also when there are some again', async () => {
  const { marathon, proxy } = await useMarathon();
  const told = (): string[] => proxy.lines.filter((line) => line.includes('namer /#/io.l5d.marathon'));
  marathon.answers.set('/v2/apps', { status: 500 });
  marathon.answers.set('/v2/apps/web', { body: '<html>' });
  await eventually('it is told', () => told().length === 1);
  const { state } = await stateOf(proxy, 'io.l5d.marathon');
  expect(state).toMatchObject({
    list: { state: 'ok', apps: 1, polls: { failure: expect.stringContaining('answered 500') } },
    apps: { '/web': { state: 'bound', polls: { failure: 'an answer of another shape' } } },
  });
  const asked = marathon.count('GET /v2/apps');
  await eventually('it is asked more often', () => marathon.count('GET /v2/apps') > asked + 5);
  expect(told()).toHaveLength(1);
  marathon.answers.set('/v2/apps', apps('web'));
  marathon.answers.set('/v2/apps/web', app('web', ['127.0.0.1:1']));
  await eventually('it answers again', () => told().length === 2);
  expect(told()[0]).toMatch(/^warn .*; what was known before is used until there is an answer\b/);
});

test('one failure of a poll is not worth a line', async () => {
  const { marathon, proxy } = await useMarathon();
  let failures = 0;
  marathon.answers.set('/v2/apps', () => (failures++ < 2 ? { status: 503 } : apps('web')));
  await eventually('it failed and answers again', () => failures > 4);
  expect(proxy.lines.filter((line) => line.startsWith('warn'))).toEqual([]);
});

test('the files of io.l5d.fs that names lead to, and the pattern of io.l5d.rewrite; no namer has this prefix: 404', async () => {
  const names = await useNames({ web: [1], empty: [] });
  const rewrite = { kind: 'io.l5d.rewrite', prefix: '/re/write', pattern: '/{x}', name: '/y/{x}' };
  const config = names.config() as { namers: object[] };
  const proxy = await useStaticProxy({ ...config, namers: [...config.namers, rewrite] });
  for (const Host of ['web', 'empty']) await send(proxy.url, { headers: { Host } });
  const { state } = await stateOf(proxy, 'io.l5d.fs');
  const { rootDir } = state as { rootDir: string };
  expect(state).toEqual({
    kind: 'io.l5d.fs',
    rootDir: expect.any(String),
    files: {
      [`${rootDir}/web`]: { state: 'bound', addresses: ['127.0.0.1:1'] },
      [`${rootDir}/empty`]: { state: 'bound', addresses: [] },
    },
  });
  expect((await stateOf(proxy, 're/write')).state).toEqual({ kind: 'io.l5d.rewrite', pattern: '/{x}', name: '/y/{x}' });
  expect(await stateOf(proxy, 'io.l5d.marathon')).toMatchObject({ status: 404 });
});
