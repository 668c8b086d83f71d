/**
 * The project's top level is fixed: a part for each directory, and nothing that grows beside them.
 */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ROOT } from '../../dcos-package/build/set-up.mjs';

const PARTS = ['agent-proxy', 'dcos-package', 'docs', 'framework', 'local-cluster', 'scheduler', 'test'];
const MADE = ['dist', 'node_modules'];

it('the top level has the directories of the design and no others', () => {
  const visible = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !MADE.includes(entry.name))
    .map((entry) => entry.name);
  expect(PARTS).toEqual(expect.arrayContaining(visible));
});
