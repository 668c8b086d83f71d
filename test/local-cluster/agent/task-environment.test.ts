/** Which programs a task finds; what else is in its environment is in agent-tasks.test.ts, with real tasks. */
import { expect, test } from 'vitest';
import { agentId, taskId } from '../../../framework/mesos-http-client/messages.ts';
import { taskEnvironment } from '../../../local-cluster/agent/task-environment.ts';

const pathOf = (inherited: NodeJS.ProcessEnv): string | undefined =>
  taskEnvironment(
    { name: 't', task_id: { value: taskId('t') }, agent_id: { value: agentId('a') }, resources: [] },
    { inherited, execPath: '/opt/node/bin/node', host: 'h', sandbox: '/s', agentId: 'a', frameworkId: 'f', marks: {} },
  )['PATH'];

test('the Node.js of the cluster comes first, unless there is to be nothing', () => {
  expect(pathOf({ PATH: '/usr/bin:/bin' })).toBe('/opt/node/bin:/usr/bin:/bin');
  expect(pathOf({})).toMatch(/^\/opt\/node\/bin:.*:\/bin$/);
  expect(pathOf({ PATH: '' })).toBe('');
});
