/**
 * One set-up at a time in one checkout: two `npm start` side by side (two clusters) must not both fill node_modules.
 * The lock is a file with the pid of its holder; a holder that was killed is noticed by its pid.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './stamp.mjs';

/**
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {(line: string) => void} say
 * @returns {Promise<T>}
 */
export async function withLock(file, work, say) {
  await mkdir(dirname(file), { recursive: true });
  let told = false;
  while (!(await take(file))) {
    const holder = await holderOf(file);
    if (holder !== null && !isAlive(holder)) {
      await dropStale(file, holder);
      continue;
    }
    if (!told) say(`waiting for process ${holder ?? '(unknown)'}, which is setting up this checkout (lock: ${file})`);
    told = true;
    await delay(200);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** @param {string} file */
async function take(file) {
  // Written aside and linked into place would be atomic too, but an exclusive create with so short a content is enough:
  // a reader that finds it empty asks again.
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * @param {string} file
 * @returns {Promise<number | null>} null when it is gone or not yet written
 */
async function holderOf(file) {
  try {
    const pid = Number.parseInt(await readFile(file, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

/**
 * Of several that find the same dead holder, the rename lets one win; and should it catch the lock of a new holder
 * instead, it is put back.
 *
 * @param {string} file
 * @param {number} holder
 */
async function dropStale(file, holder) {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await holderOf(aside)) === holder) await rm(aside, { force: true });
  else await rename(aside, file);
}
