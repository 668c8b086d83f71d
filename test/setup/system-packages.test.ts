/**
 * What happens on machines that lack what the tests need.
 */
import { expect, it } from 'vitest';
import { BENCH_NEEDS, ensureSystemPackages } from './system-packages.mjs';

/** A machine on which the packages of `absent` are missing until they are installed. */
function machine(absent: readonly string[], isRoot: boolean, hasApt: boolean, installable = true) {
  const missing = new Set(absent);
  const installed: string[] = [];
  const needs = ['chromium', 'libzookeeper-java'].map((aptPackage) => ({
    what: `the thing from ${aptPackage}`,
    aptPackage,
    isMet: async () => !missing.has(aptPackage),
  }));
  const install = async (packages: readonly string[]): Promise<void> => {
    installed.push(...packages);
    if (installable) for (const name of packages) missing.delete(name);
  };
  return { needs, isRoot, hasApt, install, installed };
}

it('nothing is installed where nothing is missing', async () => {
  const complete = machine([], true, true);
  await ensureSystemPackages(complete);
  expect(complete.installed).toEqual([]);
});

it('root on Debian or Ubuntu gets what is missing, and no more', async () => {
  const debian = machine(['libzookeeper-java'], true, true);
  await ensureSystemPackages(debian);
  expect(debian.installed).toEqual(['libzookeeper-java']);
});

it.each([
  { who: 'somebody who is not root', isRoot: false, hasApt: true },
  { who: 'root on another system', isRoot: true, hasApt: false },
])('$who gets one line that says what to install, and a failure', async ({ isRoot, hasApt }) => {
  const other = machine(['chromium', 'libzookeeper-java'], isRoot, hasApt);
  const failure = await ensureSystemPackages(other).then(
    () => null,
    (error: Error) => error,
  );
  expect(failure?.message).toContain('the thing from chromium and the thing from libzookeeper-java');
  expect(failure?.message).toContain('apt-get install --no-install-recommends chromium libzookeeper-java');
  expect(failure?.message).not.toContain('\n');
  expect(failure).toHaveProperty('exitCode', 1);
  expect(other.installed).toEqual([]);
});

it('what apt could not bring is a failure too', async () => {
  const ubuntu = machine(['chromium'], true, true, false);
  await expect(ensureSystemPackages(ubuntu)).rejects.toThrow('snap install chromium');
});

it('the line says who needs it', async () => {
  const other = { ...machine(['chromium'], false, true), purpose: 'the bench' };
  await expect(ensureSystemPackages(other)).rejects.toThrow('the bench needs the thing from chromium');
});

it('the bench needs programs that Debian and Ubuntu have as packages, each of them once', () => {
  const packages = BENCH_NEEDS.map(({ aptPackage }) => aptPackage);
  expect(packages).toEqual(['haproxy', 'nginx-light', 'wrk', 'nghttp2-client', 'util-linux']);
});
