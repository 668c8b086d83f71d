/**
 * A Node.js that is too old gets one sentence, from every npm script, and no stack trace.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { run } from '../../dcos-package/build/child.mjs';
import { refuseOldNode } from '../../dcos-package/build/node-version.cjs';
import { ROOT } from '../../dcos-package/build/set-up.mjs';

const ENTRY = join(ROOT, 'dcos-package/build/run.cjs');

it.each(['0.10.48', '8.17.0', '18.20.4', '20.18.3'])(
  'Node.js %s is refused, with what it is and what to do',
  (version) => {
    const refusal = refuseOldNode(version);
    expect(refusal).toContain('nodemesh needs Node.js 20.19 or newer');
    expect(refusal).toContain(`this is v${version}`);
    expect(refusal).not.toContain('\n');
  },
);

it.each(['20.19.0', '20.20.2', '22.0.0', '24.21.0', '30.1.0'])('Node.js %s will do', (version) => {
  expect(refuseOldNode(version)).toBeNull();
});

it.each(['start', 'build', 'check', 'test'])(
  'npm script %s on an old Node.js: one line, exit code 1',
  async (script) => {
    const directory = await mkdtemp(join(tmpdir(), 'nodemesh-old-node-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const disguise = join(directory, 'disguise.cjs');
    await writeFile(disguise, "Object.defineProperty(process, 'versions', { value: { node: '16.20.2' } });\n");
    const { code, output } = await run(process.execPath, ['--require', disguise, ENTRY, script], {
      cwd: directory,
      output: 'collect',
    });
    expect(output).toMatch(/^nodemesh needs Node\.js 20\.19 or newer; this is v16\.20\.2 .*\n$/);
    expect(code).toBe(1);
  },
);

it.each([
  { words: [], says: 'usage: npm start' },
  { words: ['explode'], says: 'usage: npm start' },
  { words: ['toString'], says: 'usage: npm start' },
  { words: ['build', '--fast'], says: 'npm run build takes no words' },
  { words: ['check', 'framework'], says: 'npm run check takes no words' },
])('wrong words $words are a usage error: one line, exit code 2', async ({ words, says }) => {
  const { code, output } = await run(process.execPath, [ENTRY, ...words], { cwd: ROOT, output: 'collect' });
  expect(output).toContain(says);
  expect(output.trim()).not.toContain('\n');
  expect(code).toBe(2);
});
