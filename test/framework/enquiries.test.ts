/** The last words of a task, from its agent's files, as an agent gives them. */
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentView } from '../../framework/agent.ts';
import { lastWords } from '../../framework/enquiries.ts';
import { fixedMaster, principalAuthorization } from '../../framework/mesos-http-client/index.ts';
import { agentId, taskId } from '../../framework/mesos-http-client/messages.ts';
import { Certificates } from '../agent-proxy/endpoint/certificates.ts';

let server: Server;
let listener: RequestListener;
let agent: AgentView;
let stderr = '';
let state: object = {};
const headers: (string | undefined)[] = [];

beforeEach(async () => {
  headers.length = 0;
  listener = (request, response) => {
    headers.push(request.headers.authorization);
    const url = new URL(request.url ?? '/', 'http://agent');
    const offset = Number(url.searchParams.get('offset'));
    const read = (): object => {
      if (url.searchParams.get('path') !== '/sandbox/t1/stderr') return { data: '', offset: 0 };
      if (offset === -1) return { data: '', offset: stderr.length };
      return { data: stderr.slice(offset, offset + Number(url.searchParams.get('length'))), offset };
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(url.pathname === '/state' ? state : read()));
  };
  server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const place = { region: null, zone: null, attributes: {}, isPublic: false };
  agent = { agentId: agentId('S1'), hostname: 'h', ip: '127.0.0.1', port, ...place };
});

afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

const ACCESS = { masters: fixedMaster('http://127.0.0.1:1') };
const executor = (id: string) => ({ id, directory: `/sandbox/${id}` });

test.each([
  ['that runs', { frameworks: [{ executors: [executor('t0'), executor('t1')] }] }],
  ['that has ended', { frameworks: [{ completed_executors: [executor('t1')] }] }],
  ['of a framework that has none left', { completed_frameworks: [{ completed_executors: [executor('t1')] }] }],
])('are the last three lines of a task %s', async (_, document) => {
  state = document;
  stderr = `${'noise\n'.repeat(2_000)}one\n\ntwo\nError: port 4140 is in use\n`;
  expect(await lastWords(ACCESS, agent, taskId('t1'))).toBe('one / two / Error: port 4140 is in use');
});

test('are none where the task wrote nothing, or the agent does not know it', async () => {
  state = { frameworks: [{ executors: [executor('t1')] }] };
  stderr = '\n \n';
  expect(await lastWords(ACCESS, agent, taskId('t1'))).toBeNull();
  expect(await lastWords(ACCESS, agent, taskId('t9'))).toBeNull();
  expect(await lastWords(ACCESS, { ...agent, port: null }, taskId('t1'))).toBeNull();
});

test('are asked for with the login of the masters', async () => {
  state = { frameworks: [{ executors: [executor('t1')] }] };
  stderr = 'why\n';
  const access = { ...ACCESS, authorization: principalAuthorization('mesh', 'secret') };
  expect(await lastWords(access, agent, taskId('t1'))).toBe('why');
  expect(headers).toEqual(Array(3).fill(`Basic ${Buffer.from('mesh:secret').toString('base64')}`));
});

test('are asked for over TLS, with the same authority, where the masters speak it; and with a new token after a 401', async () => {
  const certificates = new Certificates();
  certificates.make('authority', 'Authority of a cluster');
  certificates.make('localhost', 'localhost', 'authority');
  const read = (name: string): Buffer => readFileSync(certificates.file(name));
  const secure = createTlsServer({ key: read('localhost.key'), cert: read('localhost.pem') }, (request, response) => {
    if (request.headers.authorization === 'token=new') listener(request, response);
    else response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  try {
    state = { frameworks: [{ executors: [executor('t1')] }] };
    stderr = 'why\n';
    const authorization = {
      principal: 'mesh',
      header: () => Promise.resolve('token=old'),
      renewed: () => Promise.resolve('token=new'),
    };
    const access = {
      masters: fixedMaster('https://127.0.0.1:1'),
      tls: { ca: read('authority.pem').toString() },
      authorization,
    };
    const { port } = secure.address() as AddressInfo;
    expect(await lastWords(access, { ...agent, ip: 'localhost', port }, taskId('t1'))).toBe('why');
    await expect(
      lastWords({ ...access, tls: undefined }, { ...agent, ip: 'localhost', port }, taskId('t1')),
    ).rejects.toThrow(/certificate/);
  } finally {
    await new Promise((resolve) => secure.close(resolve));
    certificates.remove();
  }
});
