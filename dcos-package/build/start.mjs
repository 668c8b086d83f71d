/**
 * `npm start`: sets everything up, then becomes `nodemesh local` with the words after `--`.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, setUp } from './set-up.mjs';

const PARENT_CHECK_MS = 500;

/** @param {readonly string[]} words */
export async function main(words) {
  await setUp({ root: ROOT, build: true });
  // In this process and not in a child: one pid to signal or to kill, no exit code to hand on.
  const command = join(ROOT, 'dist', 'nodemesh.mjs');
  process.argv = [process.execPath, command, 'local', ...words];
  // What `ps` shows is what runs.
  process.title = ['node', 'dist/nodemesh.mjs', 'local', ...words].join(' ');
  stopWithNpm();
  await import(pathToFileURL(command).href);
}

/**
 * npm hands SIGINT and SIGTERM on (to this process itself, because the script says `exec`). Should npm be killed
 * without a chance to, the cluster stops as if it had.
 */
function stopWithNpm() {
  if (process.env['npm_lifecycle_event'] !== 'start') return;
  const npm = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(check);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS);
  check.unref();
}
