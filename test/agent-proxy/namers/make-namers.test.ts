/** The namers of a configuration as linkerd has it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NamerConfig } from '../../../agent-proxy/config/schema/linkerd.ts';
import { DirectoryWatches } from '../../../agent-proxy/namers/directory-watches.ts';
import { InetAddresses } from '../../../agent-proxy/namers/inet.ts';
import { makeNamers } from '../../../agent-proxy/namers/make-namers.ts';
import { portTransformer } from '../../../agent-proxy/routing/transformers.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'namers-'));
  writeFileSync(join(root, 'web'), '127.0.0.1 80\n');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function make(configs: readonly NamerConfig[], serviceAccount: string | null = null) {
  return makeNamers(configs, {
    inet: new InetAddresses(),
    watches: new DirectoryWatches(),
    credentials: { serviceAccount, basic: null },
    transformersOf: (configured) =>
      configured.flatMap((each) => (each.kind === 'io.l5d.port' ? [portTransformer(each.port)] : [])),
    random: Math.random,
    now: Date.now,
    warn: () => undefined,
  });
}

const fs = (): NamerConfig => ({ kind: 'io.l5d.fs', prefix: '/files', rootDir: root, transformers: [] });
const rewrite: NamerConfig = {
  kind: 'io.l5d.rewrite',
  prefix: '/a/b',
  pattern: '/{x}',
  name: '/{x}',
  transformers: [],
};
const marathon: NamerConfig = {
  kind: 'io.l5d.marathon',
  prefix: '/io.l5d.marathon',
  host: 'localhost',
  port: 1,
  uriPrefix: '',
  ttlMs: 5_000,
  jitterMs: 50,
  useHealthCheck: false,
  tls: undefined,
  nodemesh: { shortestPrefix: false },
  transformers: [],
};

it('stand in the order of the configuration, under their prefixes', () => {
  const { namers, close } = make([
    fs(),
    rewrite,
    marathon,
    { ...fs(), transformers: [{ kind: 'io.l5d.port', port: 4141 }] },
  ]);
  expect(namers.map(({ prefix }) => prefix)).toEqual([['files'], ['a', 'b'], ['io.l5d.marathon'], ['files']]);
  close();
});

it('that can list their names do', async () => {
  expect(await make([marathon, fs()]).boundNames()).toEqual(['/#/files/web']);
});

it('with a credential that is no good are refused', () => {
  expect(() => make([marathon], 'nonsense')).toThrow(/credential: it is not JSON/);
  expect(() => make([fs()], 'nonsense')).not.toThrow();
});
