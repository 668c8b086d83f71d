/**
 * Debian's packages start their services as they are installed. Where programs are wanted and not services, that is
 * refused: by /usr/sbin/policy-rc.d, whose exit code 101 means "not allowed" to whoever wants to start one.
 */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { hasCode } from '../../dcos-package/build/stamp.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const REFUSAL =
  "#!/bin/sh\n# Written by nodemesh's set-up while it installs programs; it removes this file again.\nexit 101\n";

/**
 * @template Result
 * @param {() => Promise<Result>} use while this runs, no service is started
 * @param {string} [policy] the file
 * @returns {Promise<Result>}
 */
export async function withoutServices(use, policy = POLICY) {
  const present = await readFile(policy, 'utf8').catch((error) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  // The machine's own policy stands; ours may be left from a set-up that was killed.
  if (present !== null && present !== REFUSAL) return await use();
  await writeFile(policy, REFUSAL);
  try {
    await chmod(policy, 0o755);
    return await use();
  } finally {
    await rm(policy, { force: true });
  }
}
