/** A second agent at an address that another one has: refused, and the first one's sandboxes stay as they are. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Agent } from '../../../local-cluster/agent/agent.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { run, shellTask, startAgent } from './stand-in-master.ts';

test('an agent whose address is taken does not touch the sandboxes of the one that has it', async () => {
  const bench = await startAgent();
  run(bench, shellTask('keeper', 'exec sleep 60'));
  await eventually('the task runs', () => bench.master.states('keeper').includes('TASK_RUNNING'));
  const sandboxes = join(bench.workDir, 'slaves');
  expect(existsSync(sandboxes)).toBe(true);
  const second = new Agent({ ...bench.options, port: bench.agent.description.port });
  await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(existsSync(sandboxes)).toBe(true);
});
