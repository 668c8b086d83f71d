/** The stories that are told to real clusters, told to the local one: `npm run test:mesos` as its users start it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster, runProcess } from '../fixtures/local-cluster.ts';

const PROGRAM = 'dcos-package/build/run.cjs';
const NAMES = [
  'coverage',
  'proxy-killed',
  'agent-stopped',
  'master-killed',
  'scheduler-moved',
  'upgrade',
  'rollout',
  'uninstall',
];

interface Story {
  name: string;
  result: string;
  seconds: number;
  reason?: string;
}

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(47, [
    ...['--no-scheduler', '--no-demo', '--agents', '1', '--public-agents', '1', '--agent-ping-timeout', '1s'],
  ]);
}, 90_000);
afterAll(() => cluster.stop(), 30_000);

async function tell(...words: string[]): Promise<{ code: number | string; stories: Story[]; said: string }> {
  const { host } = new URL(cluster.ready.mesos);
  const args = [PROGRAM, 'test:mesos', '--master', host, '--archive', 'host-node', ...words];
  const command = runProcess(process.execPath, args);
  const code = await command.ended;
  const last = command.stdout().trimEnd().split('\n').at(-1) ?? '';
  const { stories } = JSON.parse(last) as { stories: Story[] };
  return { code, stories, said: command.stderr() };
}

/** A command for a shell that asks the local API for something. */
const posting = (path: string, body = ''): string =>
  `"${process.execPath}" -e "fetch('${cluster.ready.mesos}/local/${path}', { method: 'POST', body: '${body}' })"`;

it('all of them pass, and nothing is left', async () => {
  const { code, stories, said } = await tell(
    ...['--agent-stop', posting('agents/{agent}/stop'), '--agent-start', posting('agents/{agent}/start')],
    // As a real one that is started again: it redirects to itself first, then it is not ready.
    ...['--master-kill', posting('master/failover', '{\\"redirectMs\\":500,\\"recoveryMs\\":300}')],
    ...['--', '--rollout-gate', '200ms'],
  );
  expect(
    stories.map(({ name, result, reason = '' }) => [name, result, reason]),
    said,
  ).toEqual(NAMES.map((name) => [name, 'passed', '']));
  expect(code).toBe(0);
  expect(await cluster.processes()).toEqual([]);
}, 240_000);

it('a cluster with too few agents is a failure too, with a line of JSON', async () => {
  const { code, stories } = await tell('--agents', '9', '--patience', '1');
  expect(stories.map(({ result }) => result)).toEqual(['failed', ...NAMES.slice(1).map(() => 'skipped')]);
  expect(stories[0]?.reason).toMatch(/9 agents.*2 agents are registered/);
  expect(code).toBe(1);
}, 30_000);
