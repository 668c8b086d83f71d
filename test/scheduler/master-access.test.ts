/** From options to how masters are spoken to; the login goes to a real server. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../scheduler/config.ts';
import { openMasters } from '../../scheduler/master-access.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

let directory: string;
let server: Server;
let answer: { status: number; body: string };
const asked: { method: string; url: string; body: string }[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-access-'));
  asked.length = 0;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      asked.push({ method: request.method ?? '', url: request.url ?? '', body });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

function access(...args: string[]) {
  return openMasters(readConfig(['--marathon=http://m:8080', '--state=file:x', ...args]), SILENT);
}

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

function accountFile(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { port } = server.address() as AddressInfo;
  return file(
    'account.json',
    JSON.stringify({
      login_endpoint: `http://127.0.0.1:${port}/acs/api/v1/auth/login`,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      scheme: 'RS256',
      uid: 'mesh',
    }),
  );
}

test('several masters are tried in their order, without a login', async () => {
  const { masters, authorization, tls } = access('--master=http://a:5050,b:5050');
  expect(masters.current()).toEqual(['http://a:5050', 'http://b:5050']);
  expect(await authorization?.header()).toBeNull();
  expect(tls).toBeUndefined();
});

test('a principal with a secret is Basic authentication', async () => {
  const { authorization } = access('--master=http://a:5050', '--principal=p', `--secret-file=${file('s', 'x y')}`);
  expect(await authorization?.header()).toBe(`Basic ${Buffer.from('p:x y').toString('base64')}`);
});

test('a service account logs in where its credential says', async () => {
  const { authorization } = access('--master=http://a:5050', `--service-account-file=${accountFile()}`);
  answer = { status: 200, body: '{"token":"abc"}' };
  expect(await authorization?.header()).toBe('token=abc');
  expect(asked).toEqual([
    { method: 'POST', url: '/acs/api/v1/auth/login', body: expect.stringMatching(/"uid":"mesh".*"token":"ey/) },
  ]);
});

test('an endless answer to a login is not taken', async () => {
  const { authorization } = access('--master=http://a:5050', `--service-account-file=${accountFile()}`);
  answer = { status: 200, body: 'x'.repeat(200_000) };
  await expect(authorization?.header()).rejects.toThrow('login');
});
