/**
 * The dependency rules at work: small trees with one planted fault each, checked by the command that `npm run check`
 * runs.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('check-imports.mjs', import.meta.url));

/** A tree that keeps all rules and uses each arrow once. */
const SOUND: Readonly<Record<string, string>> = {
  'nodemesh.ts': "export const PARTS = [() => import('./scheduler/main.ts'), () => import('./agent-proxy/main.ts')];\n",
  'agent-proxy/main.ts': "import { parse } from './config/load.ts';\nexport const main = () => parse('');\n",
  'agent-proxy/config/load.ts':
    "import { z } from 'zod';\nexport const parse = (text: string) => z.string().parse(text);\n",
  'agent-proxy/control/contract.ts': 'export interface Frame {\n  readonly epoch: number;\n}\n',
  'framework/mesos-http-client/messages.ts': 'export interface Offer {\n  readonly id: string;\n}\n',
  'framework/daemonset.ts':
    "import type { Offer } from './mesos-http-client/messages.ts';\nexport type Step = Offer;\n",
  'local-cluster/main.ts': "export type { Offer } from '../framework/mesos-http-client/messages.ts';\n",
  'scheduler/main.ts': [
    "import type { Frame } from '../agent-proxy/control/contract.ts';",
    "import type { Step } from '../framework/daemonset.ts';",
    'export type Known = [Frame, Step];',
    '',
  ].join('\n'),
  'dcos-package/build/load.cjs': "exports.test = () => import('../../test/setup/test.mjs');\n",
  // Tests may import anything.
  'test/setup/test.mjs': "import '../../agent-proxy/main.ts';\n",
  'test/daemonset.test.ts': "import '../nodemesh.ts';\n",
};

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nodemesh-rules-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** The exit code and the words of the check over the sound tree with some files planted in it. */
async function checkWith(planted: Readonly<Record<string, string>>): Promise<{ code: number; said: string }> {
  for (const [file, text] of Object.entries({ ...SOUND, ...planted })) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  return await new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, '--root', root], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr });
    });
  });
}

describe('the dependency rules', () => {
  it('pass a tree that keeps to the arrows', async () => {
    const { code, said } = await checkWith({});
    expect(said).toContain('no fault');
    expect(code).toBe(0);
  });

  it('name a forbidden import of a value, with file, line and remedy', async () => {
    const { code, said } = await checkWith({
      'agent-proxy/control/reason-codes.ts': 'export const CODES = [1];\n',
      'framework/shell.ts':
        "// the shell\nimport { CODES } from '../agent-proxy/control/reason-codes.ts';\nexport const x = CODES;\n",
    });
    expect(said).toContain('framework/shell.ts:2: import of agent-proxy/control/reason-codes.ts');
    expect(said).toContain('knows nothing of proxies');
    expect(said).toContain('1 to mend');
    expect(code).toBe(1);
  });

  it.each([
    ['import type', "import type { Frame } from '../agent-proxy/control/contract.ts';\nexport type F = Frame;\n"],
    ['import', "import { type Frame } from '../agent-proxy/control/contract.ts';\nexport type F = Frame;\n"],
    ['export type', "export type { Frame } from '../agent-proxy/control/contract.ts';\n"],
    ['export', "export * from '../agent-proxy/control/contract.ts';\n"],
    ['import()', "export type F = import('../agent-proxy/control/contract.ts').Frame;\n"],
  ])('name a forbidden import of a type written as %s', async (form, text) => {
    const { code, said } = await checkWith({ 'framework/shell.ts': text });
    expect(said).toContain(`framework/shell.ts:1: ${form} of agent-proxy/control/contract.ts`);
    expect(code).toBe(1);
  });

  it('name a forbidden import() and one whose name is computed', async () => {
    const { code, said } = await checkWith({
      'agent-proxy/link.ts': "export const late = async () =>\n  await import('../scheduler/main.ts');\n",
      'agent-proxy/other.ts': 'export const any = (name: string) => import(`./${name}.ts`);\n',
    });
    expect(said).toContain('agent-proxy/link.ts:2: import() of scheduler/main.ts');
    expect(said).toMatch(/agent-proxy\/other\.ts:1: import\(\)\n.*computed/);
    expect(code).toBe(1);
  });

  it('name a cycle of values with each of its steps', async () => {
    const { code, said } = await checkWith({
      'framework/a.ts': "import { b } from './b.ts';\nexport const a = () => b;\n",
      'framework/b.ts': "import { c } from './c.ts';\nexport const b = () => c;\n",
      'framework/c.ts': "import { a } from './a.ts';\nexport const c = () => a;\n",
    });
    expect(said).toContain('framework/a.ts:1: import cycle');
    for (const [from, to] of ['ab', 'bc', 'ca']) {
      expect(said).toContain(`framework/${from}.ts:1 → framework/${to}.ts (import)`);
    }
    expect(code).toBe(1);
  });

  it('name a cycle of which one half is only types', async () => {
    const { code, said } = await checkWith({
      'framework/a.ts': "import { b } from './b.ts';\nexport type A = typeof b;\n",
      'framework/b.ts': "import type { A } from './a.ts';\nexport const b = (a: A) => a;\n",
    });
    expect(said).toContain('framework/a.ts:1: import cycle');
    expect(said).toContain('framework/b.ts:1 → framework/a.ts (import type)');
    expect(code).toBe(1);
  });

  it('let nobody import the composition root', async () => {
    const { code, said } = await checkWith({ 'scheduler/again.ts': "import '../nodemesh.ts';\n" });
    expect(said).toContain('scheduler/again.ts:1: import of nodemesh.ts');
    expect(code).toBe(1);
  });

  it("keep packages out of the proxy's data path and out of the ZooKeeper client", async () => {
    const { code, said } = await checkWith({
      'agent-proxy/http1/codec.ts': "import { z } from 'zod';\nexport const head = z.string();\n",
      'framework/zookeeper/election.ts': "import zk from 'node-zookeeper-client';\nexport const client = zk;\n",
    });
    expect(said).toContain('agent-proxy/http1/codec.ts:1: import of zod');
    expect(said).toContain('framework/zookeeper/election.ts:1: import of node-zookeeper-client');
    expect(said).toContain('2 to mend');
    expect(code).toBe(1);
  });

  it('say when an import leads nowhere', async () => {
    const { code, said } = await checkWith({ 'framework/shell.ts': "import './gone.ts';\n" });
    expect(said).toContain('framework/shell.ts:1: Could not resolve "./gone.ts"');
    expect(code).toBe(1);
  });
});
