/** Where options come from: command line, environment and file, who wins, and that each fault names its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig, UsageError } from '../../../scheduler/config.ts';

const REQUIRED = ['--master=http://m:5050', '--marathon=http://m:8080', '--state=file:/tmp/x'];

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nodemesh-sources-'));
  file = join(directory, 'nodemesh.yaml');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.unstubAllEnvs();
});

function read(text: string, ...args: string[]) {
  writeFileSync(file, text);
  return readConfig([...REQUIRED, `--config=${file}`, ...args]);
}

function faults(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a file', () => {
  test('gives any option, with its name in either spelling, as YAML or JSON', () => {
    expect(
      read(`
log-level: warn
proxyMem: 512
proxy-cpus: 1.5
reserve: false
ports: { out: 5140, admin: 5990 }
constraint: ["@zone:IS:z2", rack:UNIQUE]
maxUnavailable: 3
`),
    ).toMatchObject({
      logLevel: 'warn',
      proxy: { cpus: 1.5, mem: 512 },
      reserve: false,
      ports: { out: 5140, in: 4141, admin: 5990, edge: 4143 },
      constraints: [{ field: '@zone' }, { field: 'rack' }],
      rollout: { maxUnavailable: 3 },
    });
    expect(read('{"master": ["http://a:5050", "http://b:5050"], "bind": "config"}')).toMatchObject({ bind: 'config' });
  });

  test('says how endpoints are told in a block, or as any option', () => {
    expect(read('discovery: { scope: bound }')).toMatchObject({ discoveryScope: 'bound' });
    expect(read('discovery-scope: bound')).toMatchObject({ discoveryScope: 'bound' });
    expect(
      faults(() => read('discovery: { scope: some, scop: all }')).map((fault) => fault.replace(file, 'F')),
    ).toEqual([
      'F: discovery.scop: is no option; did you mean discovery-scope?',
      'F: discovery.scope: must be one of all, bound',
    ]);
  });

  test('is overruled by the environment, and that by the command line', () => {
    vi.stubEnv('NODEMESH_NAME', 'environment');
    vi.stubEnv('NODEMESH_ROLE', 'environment');
    vi.stubEnv('NODEMESH_RESERVE', 'false');
    const { name, role, bind, reserve } = read('name: file\nrole: file\nbind: config\nreserve: true', '--name=flag');
    expect({ name, role, bind, reserve }).toEqual({
      name: 'flag',
      role: 'environment',
      bind: 'config',
      reserve: false,
    });
    expect(read('{}', '--reserve').reserve).toBe(true);
    vi.stubEnv('NODEMESH_RESERVE', 'true');
    expect(read('{}', '--no-reserve').reserve).toBe(false);
    vi.stubEnv('NODEMESH_RESERVE', undefined);
    expect(read('reserve: false').reserve).toBe(false);
  });

  test('can be named by the environment', () => {
    writeFileSync(file, 'name: other\n');
    vi.stubEnv('NODEMESH_CONFIG', file);
    expect(readConfig(REQUIRED).name).toBe('other');
  });

  test('with mistakes has them told all at once, each with its place', () => {
    vi.stubEnv('NODEMESH_STRATEGY', 'canary:0');
    const text = `
ports: { out: 0, inn: 4 }
constraint: [rack:UNIQUE, rack:NEAR:x]
proxyMen: 3
log-levle: info
listen: [1]
`;
    expect(faults(() => read(text, '--bind=here'))).toEqual([
      `${file}: proxyMen: is no option; did you mean proxyMem?`,
      `${file}: log-levle: is no option; did you mean log-level?`,
      `${file}: listen: must be one value, and is a list or a block`,
      expect.stringContaining(`${file}: constraint.1: 'rack:NEAR:x': there is no operator NEAR`),
      `${file}: ports.out: '0' is not a port from 1 to 65535; write out=4140,in=4141,admin=9990,edge=4143`,
      `${file}: ports.inn: 'inn' names no port of the proxy; write out=4140,in=4141,admin=9990,edge=4143`,
      '--bind: must be one of node, config',
      "NODEMESH_STRATEGY: 'canary:0' is none of gate, gate:N, gate:N:10,50,100, serial, parallel, canary, canary:N and percentages:10,50,100",
    ]);
  });

  test.each([
    ['a: [', 'neither YAML nor JSON'],
    ['- a', 'is not a block of options'],
    ['name: a\nname: b', 'name: stands here twice'],
    ['log-level: warn\nlogLevel: info', 'logLevel: stands here twice, in both spellings'],
  ])('%j is refused', (text, sentence) => {
    expect(faults(() => read(text))).toEqual([expect.stringMatching(new RegExp(`^${file}: .*${sentence}`))]);
  });

  test('that is not there is one line', () => {
    expect(faults(() => readConfig([...REQUIRED, '--config=/nonexistent']))).toEqual([
      '--config: the file /nonexistent cannot be read (ENOENT)',
    ]);
  });
});

describe('the environment', () => {
  test('counts a variable that is empty as not set', () => {
    vi.stubEnv('NODEMESH_NAME', '');
    vi.stubEnv('NODEMESH_PRINCIPAL', '');
    expect(readConfig(REQUIRED)).toMatchObject({ name: 'nodemesh', principal: null });
  });

  test('has one value of a repeated option a line', () => {
    vi.stubEnv('NODEMESH_CONSTRAINT', 'rack:LIKE:a,b;c d\n@public:IS:false\n');
    expect(readConfig(REQUIRED).constraints.map((constraint) => constraint.field)).toEqual(['rack', '@public']);
  });

  test("asks to uninstall in the SDK's words too", () => {
    expect(readConfig(REQUIRED).uninstall).toBe(false);
    vi.stubEnv('SDK_UNINSTALL', 'true');
    expect(readConfig(REQUIRED).uninstall).toBe(true);
    vi.stubEnv('NODEMESH_UNINSTALL', 'false');
    expect(readConfig(REQUIRED).uninstall).toBe(false);
    expect(readConfig([...REQUIRED, '--uninstall']).uninstall).toBe(true);
  });

  test('with a mistake is named', () => {
    vi.stubEnv('NODEMESH_RESERVE', 'no');
    expect(faults(() => readConfig(REQUIRED))).toEqual(["NODEMESH_RESERVE: 'no' is neither true nor false"]);
  });
});
