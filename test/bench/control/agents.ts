/** The agents of the bench: the scheduler finds them in its state, as after a restart, with a task on each. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AGENTS_PREFIX,
  agentRecordSchema,
  FRAMEWORK_KEY,
  frameworkRecordSchema,
} from '../../../framework/state/records.ts';

export const agentIdOf = (index: number): string => `bench-S${index}`;
export const taskIdOf = (index: number): string => `bench-proxy-${index}`;
/** Loopback, where nobody listens. */
export const ipOf = (index: number): string => `127.77.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;

/** As `FileStore` has them on its disk. */
export async function writeState(directory: string, agents: number): Promise<void> {
  const write = (key: string, value: unknown): Promise<void> =>
    writeFile(join(directory, `${key}.json`), `${JSON.stringify({ version: 1, value })}\n`);
  await mkdir(join(directory, AGENTS_PREFIX), { recursive: true });
  await write(FRAMEWORK_KEY, frameworkRecordSchema.parse({ frameworkId: 'bench' }));
  for (let index = 0; index < agents; index += 1) {
    const record = agentRecordSchema.parse({
      ...{ agentId: agentIdOf(index), hostname: `agent-${index}`, ip: ipOf(index), isPublic: false, attributes: {} },
      ...{
        taskId: taskIdOf(index),
        launchedAt: Date.now(),
        covered: true,
        failures: 0,
        notBefore: null,
        lastEnd: null,
      },
    });
    await write(`${AGENTS_PREFIX}/${agentIdOf(index)}`, record);
  }
}
