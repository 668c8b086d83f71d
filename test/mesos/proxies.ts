/** The processes of proxies, where their agents run on this machine. */
import { readdir, readFile } from 'node:fs/promises';
import { CODE_FILE } from '../../agent-proxy/control/code-archive.ts';
import { ENV } from '../../agent-proxy/control/environment.ts';

/**
 * The supervisor of a proxy task and its workers; none where the agent is on another machine. An executor of Mesos has the
 * same environment and another command line.
 */
export async function processesOf(taskId: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '');
    const words = (await read('environ')).split('\0');
    if (!words.includes(`${ENV.taskId}=${taskId}`)) continue;
    if ((await read('cmdline')).split('\0').some((word) => word.endsWith(CODE_FILE))) found.push(Number(name));
  }
  return found;
}
