import { expect, test } from 'vitest';
import { mayWrite } from '../../../agent-proxy/admin/authorization.ts';
import { endpoint, helloFrame, PEER_KEY, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send, sendJson } from '../../fixtures/http.ts';
import { useProxy } from '../../fixtures/proxy.ts';

const LABELLED = endpoint({ service: 'web', instance: 'web.1', port: 1, labels: { PASSWORD: 'secret-in-a-label' } });

async function useAdmin() {
  const web = { name: 'web', endpoints: [LABELLED] };
  const scheduler = await useFakeScheduler([helloFrame(), ...snapshotFrames(1, 3, [web])]);
  const proxy = await useProxy({ schedulers: [scheduler.url], clusterKey: 'secret-cluster-key' });
  await eventually('it has the table', () => scheduler.reports.at(-1)?.ready, 5_000);
  return proxy;
}

test('it answers pong, lists what there is, and says where it does not', async () => {
  const { admin } = await useAdmin();
  expect(await send(`${admin}/admin/ping`)).toMatchObject({ status: 200, body: 'pong' });
  expect((await send(`${admin}/`)).body).toContain('/admin/metrics/prometheus');
  expect((await send(`${admin}/admin/nothing`)).status).toBe(404);
  expect(await send(`${admin}/admin/shutdown`)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
});

test('/admin/ answers like /admin', async () => {
  const { admin } = await useAdmin();
  const answer = await send(`${admin}/admin/`);
  expect(answer).toMatchObject({ status: 200, body: (await send(`${admin}/admin`)).body });
});

test('metrics.json gives a subtree, a tree, and lines for people; a subtree that is not there is 404', async () => {
  const { admin } = await useAdmin();
  const ask = (query: string) => send(`${admin}/admin/metrics.json?${query}`);
  expect(JSON.parse((await ask('q=control')).body)).toMatchObject({ connected: 1, revision: 3 });
  expect(JSON.parse((await ask('tree=true&q=control')).body)).toMatchObject({ connected: { gauge: 1 } });
  expect((await ask('pretty=true&q=control')).body).toContain('\n  "connected": 1,\n');
  expect((await ask('q=control/revision')).body).toBe('{"":3}\n');
  const missing = await ask('q=control/nothing');
  expect(missing).toMatchObject({ status: 404, headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(missing.body)).toEqual({ error: 'there is no subtree control/nothing' });
});

test('the table is shown, and no read shows a secret', async () => {
  const { admin } = await useAdmin();
  const table = await send(`${admin}/admin/table`);
  expect(JSON.parse(table.body)).toMatchObject({
    epoch: 1,
    revision: 3,
    services: [{ name: 'web', endpoints: [{ instance: 'web.1', agentId: 'agent-1', state: 'ready' }] }],
  });
  for (const path of ['/admin/table', '/config.json', '/admin/metrics.json', '/admin/metrics/prometheus', '/']) {
    const { status, body } = await send(`${admin}${path}`);
    expect(status).toBe(200);
    for (const secret of [PEER_KEY, 'secret-cluster-key', 'secret-in-a-label']) expect(body).not.toContain(secret);
  }
});

test('it is ready when it has a table', async () => {
  const proxy = await useProxy();
  expect(await send(`${proxy.admin}/admin/ready`)).toMatchObject({ status: 503 });
  const { admin } = await useAdmin();
  expect(await send(`${admin}/admin/ready`)).toMatchObject({ status: 200 });
});

test.each([{ epoch: 1 }, { epoch: 0, schedulers: ['http://a'] }, { epoch: 1, schedulers: [] }, 'text', null])(
  'an announcement %j is a bad request',
  async (body) => {
    const proxy = await useProxy();
    expect((await sendJson('POST', `${proxy.admin}/control/v1/announce`, body)).status).toBe(400);
  },
);

test('writes are free on loopback, and need the key of the cluster elsewhere', () => {
  expect(mayWrite({ listenIp: '127.0.1.7', clusterKey: 'k' }, undefined).granted).toBe(true);
  expect(mayWrite({ listenIp: '10.0.0.1', clusterKey: 'k' }, 'Bearer k').granted).toBe(true);
  expect(mayWrite({ listenIp: '10.0.0.1', clusterKey: 'k' }, 'Bearer x')).toMatchObject({
    granted: false,
    status: 401,
  });
  expect(mayWrite({ listenIp: '10.0.0.1', clusterKey: 'k' }, undefined)).toMatchObject({ granted: false, status: 401 });
  expect(mayWrite({ listenIp: '0.0.0.0', clusterKey: null }, 'Bearer k')).toMatchObject({
    granted: false,
    status: 403,
  });
});
