/** The dtab of the interpreter io.l5d.fs, on a real file. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dtabFile } from '../../../agent-proxy/interpreter/dtab-file.ts';
import { DirectoryWatches } from '../../../agent-proxy/namers/directory-watches.ts';
import type { Activity, Unsubscribe } from '../../../agent-proxy/routing/activity.ts';
import { type Dtab, showDtab } from '../../../agent-proxy/routing/dtab.ts';
import { eventually } from '../../fixtures/eventually.ts';

let root: string;
let path: string;
let warnings: string[];
let dtab: Activity<Dtab>;
let stop: Unsubscribe;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dtab-file-'));
  path = join(root, 'config', 'mesh.dtab');
  warnings = [];
  dtab = dtabFile(path, new DirectoryWatches(), (message) => warnings.push(message));
  stop = () => undefined;
  await mkdir(dirname(path));
});
afterEach(async () => {
  stop();
  await rm(root, { recursive: true, force: true });
});

function shown(): string {
  const { state } = dtab;
  if (state.kind === 'ok') return showDtab(state.value);
  return state.kind === 'failed' ? `failed: ${state.reason}` : 'pending';
}

const becomes = (expected: string) => eventually(expected, () => shown() === expected);

it('is read when somebody observes it, and again at each edit', async () => {
  await writeFile(path, '/svc => /a # first\n');
  expect(shown()).toBe('pending');
  stop = dtab.observe(() => undefined);
  await becomes('/svc=>/a');
  await writeFile(path, '/svc => /b');
  await becomes('/svc=>/b');
  await writeFile(`${path}.new`, '/svc=>/c');
  await rename(`${path}.new`, path);
  await becomes('/svc=>/c');
  expect(warnings).toEqual([]);
});

it('stays as it was when an edit has a mistake, or the file goes away, and says so once', async () => {
  await writeFile(path, '/svc => /a');
  stop = dtab.observe(() => undefined);
  await becomes('/svc=>/a');
  await writeFile(path, '/svc => /a ;\n/b => ???');
  await eventually('a warning', () => warnings.length === 1);
  expect(warnings[0]).toMatch(/mesh\.dtab: line 2, column 7: .*; the dtab before it stays in force$/);
  expect(shown()).toBe('/svc=>/a');
  await rm(path);
  await eventually('another warning', () => warnings.length === 2);
  expect(warnings[1]).toMatch(/cannot be read: ENOENT.*; the dtab before it stays in force$/);
  expect(shown()).toBe('/svc=>/a');
  await writeFile(path, '/svc => /b');
  await becomes('/svc=>/b');
  expect(warnings).toHaveLength(2);
});

it('fails with the reason while there was none yet, and is looked for again', async () => {
  await rm(dirname(path), { recursive: true });
  stop = dtab.observe(() => undefined);
  await eventually('a failure', () => shown().startsWith(`failed: dtab file ${path} cannot be read: ENOENT`));
  await mkdir(dirname(path));
  await writeFile(path, 'nonsense');
  await eventually('another failure', () => shown().startsWith(`failed: dtab file ${path}: line 1, column 1: `));
  await writeFile(path, '/svc => /a');
  await becomes('/svc=>/a');
});
