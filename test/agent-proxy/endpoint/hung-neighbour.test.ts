/** A service that hangs beside one that does not, on one node: they share the connections to the proxy of that node. */
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { useBackend } from '../../fixtures/backend.ts';
import { endpoint, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { useProxy } from '../../fixtures/proxy.ts';

const HUNG = 600;
/** Of its node's proxy to one instance. */
const MOST_CONNECTIONS = 256;

test('a service that hangs costs its neighbours on the node nothing', async () => {
  const scheduler = await useFakeScheduler();
  const near = await useProxy({ ip: '127.0.35.1', agentId: 'agent-1', schedulers: [scheduler.url] });
  const far = await useProxy({ ip: '127.0.35.2', agentId: 'agent-2', schedulers: [scheduler.url] });
  await eventually('both proxies subscribe', () => scheduler.streams.size === 2);
  let asked = 0;
  const hung = await useBackend('hung', { raw: () => (asked += 1) });
  const fine = await useBackend('fine');
  const service = (name: string, port: number) => ({
    name,
    endpoints: [
      endpoint({ service: name, instance: `${name}.1`, port, agentId: 'agent-2', agentAddress: '127.0.35.2' }),
    ],
  });
  const agents = [near, far].map(({ ip, incomingPort }, index) => ({
    agentId: `agent-${index + 1}`,
    address: ip,
    incomingPort,
    ready: true,
  }));
  scheduler.send(...snapshotFrames(1, 1, [service('hung', hung.port), service('fine', fine.port)], agents));
  await eventually('both proxies have the table', () =>
    ['agent-1', 'agent-2'].every((id) => scheduler.reports.findLast(({ agentId }) => agentId === id)?.ready),
  );
  const { hostname, port } = new URL(near.outgoing);
  for (let index = 0; index < HUNG; index += 1) {
    const client = connect(Number(port), hostname);
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: hung\r\n\r\n');
    onTestFinished(() => void client.destroy());
  }
  await eventually('as many requests hang as the instance takes', () => asked === MOST_CONNECTIONS);
  const options = { headers: { Host: 'fine' }, timeoutMs: 8_000 };
  expect(await send(near.outgoing, options)).toMatchObject({ status: 200, body: 'fine' });
  expect(await send(near.outgoing, { ...options, method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
});
