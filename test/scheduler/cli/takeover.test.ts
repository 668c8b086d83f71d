/**
 * `nodemesh migrate takeover` against the local cluster's Marathon and a scheduler: the proxies are there as soon as their
 * ports are free. Three agents, each with a linkerd.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../../scheduler/cli/main.ts';
import { type Fixture, useMarathon } from '../../local-cluster/marathon/marathon-fixture.ts';
import { taskId } from '../support/fake-framework.ts';
import { type SchedulerUnderTest, useScheduler } from '../support/use-scheduler.ts';

const CONTEXT = { version: '1.2.3', dist: '/nowhere', relaunch: [] };
const AGENTS = ['S1', 'S2', 'S3'];
const LINKERD = {
  ...{ id: '/linkerd', instances: 3, constraints: [['hostname', 'UNIQUE']], requirePorts: true },
  portDefinitions: [{ port: 4140 }, { port: 4141 }],
};

const use = useScheduler();
let lines: string[];
let listeners: Server[];
/** No proxy gets well there. */
let cursed: string | null;
let ticker: NodeJS.Timeout;

beforeEach(() => {
  lines = [];
  listeners = [];
  cursed = null;
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    lines.push(...String(chunk).trimEnd().split('\n'));
    return true;
  });
  vi.stubEnv('DCOS_ACS_TOKEN', undefined);
});

afterEach(async () => {
  clearInterval(ticker);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const listener of listeners) {
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  }
});

/** As proxies have them, on all agents at once. */
async function listenerPort(): Promise<number> {
  const listener = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => listener.listen(0, '0.0.0.0', resolve));
  listeners.push(listener);
  return (listener.address() as AddressInfo).port;
}

async function begin(): Promise<{ marathon: Fixture; scheduler: SchedulerUnderTest }> {
  const marathon = await useMarathon();
  await marathon.create(LINKERD);
  const [out, incoming, admin] = [await listenerPort(), await listenerPort(), await listenerPort()];
  const nodes = Object.fromEntries(AGENTS.map((agent, index) => [agent, { ip: `127.0.33.${index + 1}` }]));
  const scheduler = await use.start({ args: [`--ports=out=${out},in=${incoming},admin=${admin},edge=none`], nodes });
  place(marathon, scheduler);
  ticker = setInterval(() => {
    place(marathon, scheduler);
    void marathon.timers.advance(1_000);
  }, 20);
  return { marathon, scheduler };
}

/** What the framework would make of the agents. */
function place({ master }: Fixture, { framework }: SchedulerUnderTest): void {
  for (const agent of AGENTS) {
    const before = framework.nodes().find(({ agentId }) => agentId === agent);
    const hasLinkerd = [...master.tasks.values()].some(({ task }) => task.agent_id.value === agent);
    const isOut = before?.heldOut != null;
    const state = isOut ? 'excluded' : hasLinkerd ? 'pending' : agent === cursed ? 'unhealthy' : 'healthy';
    if (before?.state === state) continue;
    const reason = state === 'healthy' ? null : `it is ${state}`;
    framework.set(agent, {
      state,
      reason,
      taskId: state === 'healthy' || state === 'unhealthy' ? taskId(`proxy-${agent}`) : null,
      since: Date.now(),
    });
  }
}

async function run({ marathon, scheduler }: Awaited<ReturnType<typeof begin>>, ...args: string[]): Promise<string[]> {
  lines = [];
  const common = [
    '--marathon',
    marathon.marathon.url,
    '--app',
    '/linkerd',
    '--scheduler',
    scheduler.url,
    '--poll',
    '15ms',
  ];
  const words = args[0] === 'give-back' ? args : ['takeover', ...args];
  await main(['migrate', ...words, ...common], CONTEXT);
  return lines;
}

const instancesOf = async ({ marathon }: { marathon: Fixture }) =>
  (await marathon.request('GET', '/v2/apps/linkerd')).json.app.instances;
const agentsOf = async ({ marathon }: { marathon: Fixture }) =>
  (await marathon.tasks('/linkerd')).map((task: { slaveId: string }) => task.slaveId).sort();

test('node by node, with a canary first, and a node back', async () => {
  const site = await begin();
  expect(await agentsOf(site)).toEqual(AGENTS);
  expect(await run(site, '--dry-run')).toEqual([
    expect.stringMatching(/^S1\.example would be next: linkerd's task linkerd\.\S+ goes, and 2 instances are left\.$/),
  ]);
  expect(await agentsOf(site)).toEqual(AGENTS);

  const canary = await run(site, '--window', '30ms', '--most', '1');
  expect(canary[0]).toMatch(/^S1\.example: linkerd's task linkerd\.\S+ is removed, 3 → 2 instances$/);
  expect(canary).toContain('S1.example: nodemesh has it: 3 listeners answer, too little traffic to judge it by');
  expect(canary.slice(-3)).toEqual([
    'S2.example: left with linkerd: not in this run',
    'S3.example: left with linkerd: not in this run',
    'nodemesh has 1 nodes. 2 left with linkerd.',
  ]);
  expect(await agentsOf(site)).toEqual(['S2', 'S3']);

  const rest = await run(site, '--window', '30ms');
  expect(rest.at(-1)).toBe('nodemesh has 3 nodes. No node has linkerd any more: /linkerd can be deleted.');
  expect([await agentsOf(site), await instancesOf(site)]).toEqual([[], 0]);

  const back = await run(site, 'give-back', 'S2.example');
  expect(back[0]).toBe('S2.example: the proxy goes, and is kept out');
  expect(back.at(-1)).toMatch(/^linkerd has S2\.example again\./);
  // The master here knows nothing of the proxies' ports, so linkerd may have been on another agent before.
  expect(await agentsOf(site)).toContain('S2');
  expect(site.scheduler.framework.nodes().find(({ agentId }) => agentId === 'S2')?.heldOut).toMatch(/linkerd has it/);
});

test('a node that does not get well stops it, with what to do; what is done by then stays', async () => {
  const site = await begin();
  cursed = 'S2';
  await expect(run(site, '--window', '30ms', '--node-timeout', '400ms')).rejects.toThrow(
    /^stopped at S2\.example: it is unhealthy for 0 s\. Run it again to go on, or give the node back: nodemesh migrate give-back S2\.example$/,
  );
  expect(await agentsOf(site)).toEqual(['S3']);
  cursed = null;
  const rest = await run(site, '--window', '30ms');
  expect(rest.at(-1)).toMatch(/^nodemesh has 3 nodes\./);
});

test('instances for which there is no agent are given up first', async () => {
  const site = await begin();
  await site.marathon.request('PUT', '/v2/apps/linkerd', { instances: 5 });
  const outcome = run(site, '--window', '30ms', '--patience', '200ms');
  await outcome;
  expect(lines).toContainEqual(
    expect.stringMatching(/^\/linkerd: 5 → 3 instances, as 2 of its instances have no place/),
  );
  expect(await instancesOf(site)).toBe(0);
});

test('an app or a node that there is not', async () => {
  const site = await begin();
  await expect(run(site, 'S9')).rejects.toThrow(/^there is no node S9/);
  await site.marathon.request('DELETE', '/v2/apps/linkerd?force=true');
  await expect(run(site)).rejects.toThrow('Marathon has no app /linkerd');
});
