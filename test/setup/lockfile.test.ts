/**
 * The lockfile: it says what is installed and not from where, and it is whole, or `npm ci` would refuse it. (npm leaves
 * the packages of other platforms out when the registry that it asked did not have them.)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT } from '../../dcos-package/build/set-up.mjs';

const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
const names = z.record(z.string(), z.string()).default({});
const lockfile = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        version: z.string(),
        dependencies: names,
        optionalDependencies: names,
        hasInstallScript: z.boolean().optional(),
      }),
    ),
  })
  .parse(JSON.parse(text));

it('the lockfile holds no address to download from', () => {
  expect(text).not.toContain('"resolved"');
  expect(text).not.toMatch(/https?:\/\/[^"]*\.tgz/);
});

it('the lockfile holds every dependency, those for other platforms too', () => {
  const missing = Object.entries(lockfile.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !isLocked(path, name)),
  );
  expect(missing).toEqual([]);
});

it('no dependency is native: the same node_modules serve every Node.js', () => {
  const scripted = Object.entries(lockfile.packages).filter(([, entry]) => entry.hasInstallScript === true);
  // esbuild's only verifies its binary.
  expect(scripted.map(([path]) => path)).toEqual(['node_modules/esbuild']);
});

/** As Node.js looks for a package: beside its user, then beside the user's owner, and so on. */
function isLocked(user: string, name: string): boolean {
  const place = user === '' ? `node_modules/${name}` : `${user}/node_modules/${name}`;
  if (Object.hasOwn(lockfile.packages, place)) return true;
  if (user === '') return false;
  return isLocked(user.slice(0, Math.max(0, user.lastIndexOf('/node_modules/'))), name);
}
