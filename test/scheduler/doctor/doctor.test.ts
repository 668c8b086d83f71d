/** The doctor as anybody may ask it over HTTP, in front of a Marathon that is slow. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import { doctorRouter } from '../../../scheduler/api/doctor.ts';
import { errorHandler } from '../../../scheduler/api/errors.ts';
import { readConfig } from '../../../scheduler/config.ts';
import { Doctor } from '../../../scheduler/doctor/doctor.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('looks at some apps at a time, and says so to who asks for more', async () => {
  const held: ServerResponse[] = [];
  let isOpen = false;
  const marathon = await serve((request, response) => {
    if (!isOpen && request.url?.startsWith('/v2/apps/')) held.push(response);
    else response.writeHead(404).end();
  });
  const log = (): void => undefined;
  const doctor = new Doctor({
    config: readConfig(['--master=http://127.0.0.1:1', `--marathon=${marathon}`, '--state=file:/nowhere']),
    logger: { debug: log, info: log, warn: log, error: log },
    refusals: { list: () => [] },
    advertise: () => null,
    plane: () => null,
  });
  const app = express();
  app.use(doctorRouter(doctor));
  app.use(errorHandler(log));
  const url = await serve(app);

  const asked = ['a', 'b', 'c', 'd'].map((id) => send(`${url}/v1/doctor?app=/${id}`));
  await eventually('all are on their way', () => held.length === 4);
  const { status, body } = await send(`${url}/v1/doctor?app=/e`);
  expect([status, JSON.parse(body)]).toEqual([
    503,
    { error: '4 apps are being looked at already; ask again in a few seconds' },
  ]);
  isOpen = true;
  for (const response of held) response.writeHead(404).end();
  for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
  expect((await send(`${url}/v1/doctor?app=/e`)).status).toBe(200);
});
