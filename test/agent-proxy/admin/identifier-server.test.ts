import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createIdentifierServer, type IdentifyForAll } from '../../../agent-proxy/admin/identifier-server.ts';
import { send } from '../../fixtures/http.ts';

async function useIdentifiers(identify: IdentifyForAll): Promise<string> {
  const server = createIdentifierServer(identify);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('the answer says under which name each router would look', async () => {
  const url = await useIdentifiers(({ headers, url: target }) =>
    Promise.resolve({ out: `/svc/${headers.host ?? '-'}`, in: `/svc${target ?? ''}` }),
  );
  const answer = await send(`${url}/a/b`, { method: 'POST', headers: { Host: 'web' }, body: 'body' });
  expect(JSON.parse(answer.body)).toEqual({ out: '/svc/web', in: '/svc/a/b' });
});

test('an identifier that breaks is told', async () => {
  const url = await useIdentifiers(() => Promise.reject(new Error('no such header')));
  expect(await send(url)).toMatchObject({ status: 500, body: '{"error":"no such header"}\n' });
});
