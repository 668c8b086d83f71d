/**
 * `nodemesh proxy CONFIG` on configurations as people have them: what can be served starts unchanged, and what cannot is
 * told in one line for each reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../agent-proxy/config/load.ts';
import { useBackend } from '../fixtures/backend.ts';
import { eventually } from '../fixtures/eventually.ts';
import { type Answer, send } from '../fixtures/http.ts';
import { freePorts } from '../fixtures/proxy.ts';
import { useProxyCommand } from '../fixtures/proxy-process.ts';

const FOLDER = resolve(import.meta.dirname, '../../../shared/fixtures/linkerd-configs');
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER) : [];

/** Files that need what there is not yet, and what each line names; the lines themselves are the configuration's tests'. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'admin.yaml': ['io.l5d.namerd is not supported yet'],
  'consul.yaml': ['io.l5d.consul is not supported yet'],
  'dcos-linker-to-linker-with-namerd.yaml': Array.from({ length: 2 }, () => 'io.l5d.namerd is not supported yet'),
  'dcos-linkerd-with-namerd.yaml': ['io.l5d.namerd is not supported yet'],
  'h2.yaml': ['h2 is not supported yet'],
  'influxdb.yaml': ['io.l5d.influxdb is not supported yet'],
  'namerd-dcos.yaml': ["is namerd's own"],
  'namerd-http.yaml': ['io.l5d.namerd.http is not supported yet'],
  'serversets.yaml': [
    ...Array.from({ length: 2 }, () => 'io.l5d.serversets is not supported yet'),
    'announce is not supported yet',
  ],
  'thrift.yaml': ['thrift is not supported yet'],
  'tls.yaml': ['server TLS is not supported yet'],
};

/** Any answer of a router shows that it listens; OPTIONS has no effect wherever it arrives. */
const ASK = { method: 'OPTIONS', headers: { Host: 'nobody' }, timeoutMs: 15_000 };

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

describe.runIf(FILES.length > 0)("linkerd's examples", () => {
  it.each(FILES.filter((name) => REFUSED[name] === undefined))('%s starts unchanged', async (name) => {
    const file = join(FOLDER, name);
    const { config } = parseConfig(readFileSync(file, 'utf8'), file);
    const proxy = await useProxyCommand([file]);
    await proxy.listening();
    const admin = (path: string): Promise<Answer> => send(`http://127.0.0.1:${config.admin.port}${path}`);
    expect(await admin('/admin/ping')).toMatchObject({ status: 200, body: 'pong' });
    // Metrics are for all; what is beyond them is for loopback, or for a token, and there is none.
    expect((await admin('/admin/metrics.json')).status).toBe(200);
    expect((await admin('/config.json')).status).toBe(config.admin.ip === '127.0.0.1' ? 200 : 403);
    for (const { port } of config.routers.flatMap(({ servers }) => servers)) {
      expect((await send(`http://127.0.0.1:${port}/`, ASK)).status).toBeGreaterThan(199);
    }
    expect(proxy.process.exitCode).toBeNull();
  });

  it('what needs more than there is says what, one line a fault', async () => {
    const ends = Object.entries(REFUSED).map(async ([name, missing]) => {
      const file = join(FOLDER, name);
      const proxy = await useProxyCommand([file]);
      const code = await proxy.exited;
      return { name, file, missing, code, lines: linesOf(proxy.stderr()).toSorted() };
    });
    for (const { name, file, missing, code, lines } of await Promise.all(ends)) {
      const expected = missing.map((what) => expect.stringContaining(what));
      expect({ name, code, lines }).toEqual({ name, code: 1, lines: expected });
      expect(lines.filter((line) => !line.startsWith(`${file}: `))).toEqual([]);
    }
  });
});

it.skipIf(FILES.length > 0)("linkerd's examples: not run: no ../shared", () => {});

describe('a configuration', () => {
  /** `more`: lines of the file. */
  async function useConfig(more: string): Promise<{ text: string; admin: number; port: number }> {
    const [admin = 0, port = 0] = await freePorts('127.0.0.1', 2);
    const text = `admin: { port: ${admin} }\n${more.replaceAll('$PORT', String(port))}`;
    return { text, admin, port };
  }

  it('may come by standard input', async () => {
    const backend = await useBackend('web');
    const { text, port } = await useConfig(`routers:
- protocol: http
  dtab: /svc/* => /$/inet/127.1/${backend.port}
  servers: [{ port: $PORT }]
`);
    const proxy = await useProxyCommand(['-'], { stdin: text });
    await proxy.listening();
    expect(await send(`http://127.0.0.1:${port}/`, ASK)).toMatchObject({ status: 200, body: 'web' });
  });

  it('starts with directories, files and hosts that are not there, and warns of what has no effect', async () => {
    const { text, admin, port } = await useConfig(`usage: { orgId: us }
telemetry:
- { kind: io.l5d.zipkin, host: zipkin.invalid, port: 9410 }
namers:
- { kind: io.l5d.fs, rootDir: not/there }
- kind: io.l5d.marathon
  host: marathon.invalid
  tls: { commonName: master.mesos, trustCerts: [/not/there.crt] }
routers:
- protocol: http
  streamAfterContentLengthKB: 100
  interpreter: { kind: io.l5d.fs, dtabFile: not/there.dtab }
  client:
    kind: io.l5d.static
    configs:
    - prefix: /
      tls: { commonName: web, trustCertsBundle: /not/there.pem }
  servers: [{ port: $PORT, socketOptions: { reusePort: true } }]
`);
    const proxy = await useProxyCommand(['-'], { stdin: text });
    await proxy.listening();
    expect((await send(`http://127.0.0.1:${admin}/admin/ping`)).body).toBe('pong');
    expect(await send(`http://127.0.0.1:${port}/`, { ...ASK, headers: { Host: 'web' } })).toMatchObject({
      status: expect.toSatisfy((status: number) => status >= 400),
    });
    await eventually('all warnings are there', () => (proxy.stdout() + proxy.stderr()).includes('usage'));
    const said = proxy.stdout() + proxy.stderr();
    for (const key of ['usage', 'telemetry[0].port', 'streamAfterContentLengthKB', 'socketOptions.reusePort']) {
      expect(linesOf(said).filter((line) => line.includes(`${key}: `))).toHaveLength(1);
    }
    expect(proxy.process.exitCode).toBeNull();
  });

  it('that is wrong is refused with exit code 1, by --validate as by a start', async () => {
    const { text } = await useConfig(`routers:
- protocol: http
  dtab: /svc >= /web
  servres: [{ port: 1 }]
`);
    for (const words of [['-'], ['--validate', '-']]) {
      const proxy = await useProxyCommand(words, { stdin: text });
      expect(await proxy.exited).toBe(1);
      const lines = linesOf(proxy.stderr());
      expect(lines).toHaveLength(2);
      expect(lines).toContainEqual(expect.stringMatching(/routers\[0\]\.servres: .*did you mean 'servers'/));
      expect(lines).toContainEqual(expect.stringMatching(/routers\[0\]\.dtab: line 1, column \d+/));
    }
  });

  it('that is right is only checked by --validate: nothing listens, exit code 0', async () => {
    const { text, port } = await useConfig('routers: [{ protocol: http, servers: [{ port: $PORT }] }]\n');
    const proxy = await useProxyCommand(['--validate', '-'], { stdin: text });
    expect(await proxy.exited).toBe(0);
    expect(proxy.stdout()).toBe('standard input is valid\n');
    await expect(send(`http://127.0.0.1:${port}/`)).rejects.toThrow('ECONNREFUSED');
  });

  it('with two routers on one port is refused', async () => {
    const stdin = 'routers: [{ protocol: http, label: a }, { protocol: http, label: b }]';
    const proxy = await useProxyCommand(['-'], { stdin });
    expect(await proxy.exited).toBe(1);
    expect(linesOf(proxy.stderr())).toEqual([
      expect.stringMatching(/routers\[1\]\.servers\[0\]\.port: 127\.0\.0\.1:4140 /),
    ]);
  });
});
