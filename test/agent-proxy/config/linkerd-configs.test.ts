import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../../agent-proxy/config/load.ts';

const folder = resolve(import.meta.dirname, '../../../../shared/fixtures/linkerd-configs');

/** Those that need what is not supported yet, with what they are told. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'admin.yaml': ['routers[2].interpreter.kind: io.l5d.namerd is not supported yet'],
  'consul.yaml': ['namers[0].kind: io.l5d.consul is not supported yet'],
  'dcos-linker-to-linker-with-namerd.yaml': [
    'routers[0].interpreter.kind: io.l5d.namerd is not supported yet',
    'routers[1].interpreter.kind: io.l5d.namerd is not supported yet',
  ],
  'dcos-linkerd-with-namerd.yaml': ['routers[0].interpreter.kind: io.l5d.namerd is not supported yet'],
  'h2.yaml': ['routers[0].protocol: h2 is not supported yet'],
  'influxdb.yaml': ['telemetry[0].kind: io.l5d.influxdb is not supported yet'],
  'namerd-dcos.yaml': [
    "configuration: is namerd's own (it has storage or interfaces); nodemesh proxy reads linkerd's, which has routers",
  ],
  'namerd-http.yaml': ['routers[0].interpreter.kind: io.l5d.namerd.http is not supported yet'],
  'serversets.yaml': [
    'namers[0].kind: io.l5d.serversets is not supported yet',
    'routers[0].announcers[0].kind: io.l5d.serversets is not supported yet',
    'routers[0].servers[0].announce: announce is not supported yet',
  ],
  'thrift.yaml': ['routers[0].protocol: thrift is not supported yet'],
  'tls.yaml': ['routers[0].servers[0].tls: server TLS is not supported yet'],
};

function faultsOf(file: string): readonly string[] {
  try {
    loadConfig(file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.toSorted();
    throw error;
  }
}

describe.runIf(existsSync(folder))('configurations as people have them', () => {
  test.each(existsSync(folder) ? readdirSync(folder) : [])('%s is accepted, or told what is missing', (name) => {
    expect(faultsOf(join(folder, name))).toEqual(REFUSED[name] ?? []);
  });

  test('what is told to be refused is there', () => {
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(Object.keys(REFUSED)));
  });
});

test.skipIf(existsSync(folder))('configurations as people have them: not run: no ../shared', () => {});
