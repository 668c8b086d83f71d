/** One node over HTTP: leaving it out and taking it in again, and asking its listeners. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();

const post = async (url: string, body: object = {}) => {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return [response.status, await response.json()];
};

test('a node is left out, by any of its names, and the list says why; then it is taken in again', async () => {
  const scheduler = await use.start({ nodes: { S1: { state: 'healthy', taskId: taskId('t1') }, S2: {} } });
  const heldOut = async () => (await scheduler.get('/v1/nodes')).json as { heldOut: string | null }[];
  expect(await post(`${scheduler.url}/v1/nodes/S1.example/exclude`, { why: ' linkerd  has it. ' })).toEqual([
    200,
    { message: 'out' },
  ]);
  expect((await heldOut()).map((node) => node.heldOut)).toEqual(['linkerd has it', null]);
  expect(await post(`${scheduler.url}/v1/nodes/S1/exclude`, { why: 'linkerd has it' })).toEqual([
    208,
    { message: 'so already' },
  ]);
  expect(await post(`${scheduler.url}/v1/nodes/S1/include`)).toEqual([200, { message: 'in' }]);
  expect(await post(`${scheduler.url}/v1/nodes/S2/exclude`)).toEqual([200, { message: 'out' }]);
  expect((await heldOut()).map((node) => node.heldOut)).toEqual([null, 'an operator left it out']);
  const audit = (await scheduler.get('/v1/audit')).json as { target: string; to: string }[];
  expect(audit.map(({ target, to }) => `${target} ${to}`)).toEqual([
    'node S2.example out',
    'node S1.example in',
    'node S1.example out',
    'node S1.example out',
  ]);
});

test('what does not do is refused', async () => {
  const scheduler = await use.start({ nodes: { S1: {} } });
  expect(await post(`${scheduler.url}/v1/nodes/S9/exclude`)).toEqual([404, { error: 'there is no node S9' }]);
  expect(await post(`${scheduler.url}/v1/nodes/S1/exclude`, { why: 5 })).toMatchObject([400, {}]);
  scheduler.framework.uninstalling = true;
  expect(await post(`${scheduler.url}/v1/nodes/S1/exclude`)).toEqual([
    409,
    { error: 'everything is being uninstalled' },
  ]);
});

test('a probe says of each listener whether it answers', async () => {
  const listener = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  try {
    const scheduler = await use.start({
      args: [`--ports=out=${port},in=1,admin=2,edge=none`],
      nodes: { S1: { ip: '127.0.0.1' } },
    });
    expect((await scheduler.get('/v1/nodes/S1/probe')).json).toEqual({
      agentId: 'S1',
      listeners: [
        { port, fault: null },
        { port: 1, fault: 'no answer at 127.0.0.1:1 (ECONNREFUSED)' },
        { port: 2, fault: 'no answer at 127.0.0.1:2 (ECONNREFUSED)' },
      ],
    });
    expect((await scheduler.get('/v1/nodes/S9/probe')).status).toBe(404);
  } finally {
    listener.close();
  }
});
