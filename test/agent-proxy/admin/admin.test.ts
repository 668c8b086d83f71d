import { expect, test } from 'vitest';
import { endpoint, helloFrame, PEER_KEY, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useProxy } from '../../fixtures/proxy.ts';

const LABELLED = endpoint({ service: 'web', instance: 'web.1', port: 1, labels: { PASSWORD: 'secret-in-a-label' } });

async function useAdmin() {
  const web = { name: 'web', endpoints: [LABELLED] };
  const scheduler = await useFakeScheduler([helloFrame(), ...snapshotFrames(1, 3, [web])]);
  const proxy = await useProxy({ schedulers: [scheduler.url], clusterKey: 'secret-cluster-key' });
  await eventually('it has the table', () => scheduler.reports.at(-1)?.ready);
  return proxy;
}

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
