/** `nodemesh status`: how the whole mesh is, on one screen. */
import * as z from 'zod/mini';
import { FROZEN, type NodeAnswer, nodesAnswerSchema, servicesAnswerSchema } from '../dashboard/src/model/answers.ts';
import { plural } from '../dashboard/src/model/format.ts';
import { stateRank } from '../dashboard/src/model/rows.ts';
import { getJson, shown } from './http.ts';
import { toneOf } from './nodes.ts';
import { newCommand, type SchedulerOption, schedulerOption } from './options.ts';
import { lookOf, planAnswerSchema, stepsDone } from './plan-tree.ts';
import type { Screen } from './screen.ts';
import { printable } from './table.ts';

/** Nodes that are named in the warnings; `nodemesh nodes` has all. */
const NAMED_NODES = 5;

const healthSchema = z.object({
  version: z.string(),
  leading: z.boolean(),
  leader: z.nullish(z.string()),
  subscribed: z._default(z.boolean(), false),
  frozen: z._default(z.boolean(), false),
  epoch: z.nullish(z.number()),
  value: z.nullish(z.number()),
  reasons: z._default(z.array(z.string()), []),
  marathons: z._default(
    z.array(
      z.object({ prefix: z.string(), connected: z.boolean(), synced: z.boolean(), reason: z.nullish(z.string()) }),
    ),
    [],
  ),
  plans: z._default(z.record(z.string(), z.string()), {}),
  /** What the cluster has refused: see docs/dcos-strict.md. */
  refusals: z._default(z.array(z.object({ what: z.string(), text: z.string() })), []),
});
type Health = z.infer<typeof healthSchema>;

interface PlanLine {
  readonly name: string;
  readonly status: string;
  readonly done: number;
  readonly all: number;
}

interface Status {
  readonly health: Health;
  readonly nodes: readonly NodeAnswer[];
  readonly services: number;
  readonly plans: readonly PlanLine[];
  readonly frameworkId: string | null;
}

export async function status(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh status', 'Say how the whole mesh is, on one screen.', version)
    .addOption(schedulerOption())
    .option('--json', 'print it for programs')
    .addHelpText('after', '\nThe exit code is 0 whenever the scheduler answers: ask --json for what is not well.');
  command.parse([...args], { from: 'user' });
  const { scheduler, json } = command.opts<SchedulerOption & { readonly json?: true }>();
  const found = await look(scheduler);
  screen.write(json ? `${JSON.stringify(asJson(found), null, 2)}\n` : text(found, scheduler, screen));
}

async function look(scheduler: URL): Promise<Status> {
  const { value: health } = await getJson(scheduler, 'v1/health', healthSchema);
  if (!health.leading) return { health, nodes: [], services: 0, plans: [], frameworkId: null };
  const [nodes, services, ids, plans] = await Promise.all([
    getJson(scheduler, 'v1/nodes', nodesAnswerSchema),
    getJson(scheduler, 'v1/services', servicesAnswerSchema),
    getJson(scheduler, 'v1/state/frameworkId', z.array(z.string())),
    Promise.all(Object.keys(health.plans).map((name) => planLine(scheduler, name))),
  ]);
  const frameworkId = ids.value[0] ?? null;
  return { health, nodes: nodes.value, services: services.value.length, plans, frameworkId };
}

async function planLine(scheduler: URL, name: string): Promise<PlanLine> {
  const path = `v1/plans/${encodeURIComponent(name)}`;
  const { value } = await getJson(scheduler, path, planAnswerSchema, { statuses: [202, 417] });
  return { name, status: value.status, ...stepsDone(value) };
}

function countsOf(nodes: readonly NodeAnswer[]): [state: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  // Those that are well first: it is how the line is read.
  return [...counts].sort(([a], [b]) => stateRank(b) - stateRank(a));
}

function warningsOf({ health, nodes }: Status): string[] {
  const bad = nodes.filter(({ state }) => state === 'unhealthy' || state === 'lost');
  const named = bad
    .slice(0, NAMED_NODES)
    .map(({ hostname, state, reason }) => `${hostname} is ${state}: ${reason ?? 'no reason'}`);
  const more = bad.length - named.length;
  return [
    ...(health.frozen ? [FROZEN] : []),
    ...health.refusals.map(({ text }) => text),
    ...health.marathons.flatMap(({ prefix, connected, reason }) =>
      connected ? [] : [`Marathon ${prefix}: ${reason ?? 'its event stream is not in place'}`],
    ),
    ...named,
    ...(more > 0 ? [`${more} more are not well: nodemesh nodes`] : []),
  ];
}

function asJson(found: Status): object {
  const { health, nodes, services, plans, frameworkId } = found;
  return {
    ...health,
    frameworkId,
    nodes: Object.fromEntries(countsOf(nodes)),
    services,
    plans: Object.fromEntries(plans.map(({ name, ...rest }) => [name, rest])),
    warnings: warningsOf(found),
  };
}

function text(found: Status, scheduler: URL, screen: Screen): string {
  const { health, nodes, services, plans, frameworkId } = found;
  const head = screen.paint('head', printable(`nodemesh ${health.version} at ${shown(scheduler)}`));
  if (!health.leading) {
    const leader = health.leader == null ? 'which one leads is not known (yet)' : `${health.leader} leads`;
    return `${head}\n  stands by; ${printable(leader)}\n`;
  }
  const mesos = health.subscribed ? 'subscribed' : screen.paint('bad', 'not subscribed');
  const id = frameworkId === null ? ', no framework id yet' : ` as ${printable(frameworkId)}`;
  const states = countsOf(nodes).map(([state, count]) => screen.paint(toneOf(state), `${count} ${printable(state)}`));
  const rows: [name: string, text: string][] = [
    ['epoch', String(health.epoch ?? 'none')],
    ['mesos', `${mesos}${id}`],
    ['marathon', marathonText(health, screen)],
    ['nodes', nodes.length === 0 ? 'none yet' : `${nodes.length}: ${states.join(', ')}`],
    ['services', String(services)],
    ...plans.map(({ name, status, done, all }, index): [string, string] => {
      const { word, tone } = lookOf(status);
      const steps = all === 0 ? '' : ` (${done} of ${plural(all, 'step')})`;
      return [index === 0 ? 'plans' : '', `${printable(name)} ${screen.paint(tone, word)}${steps}`];
    }),
    ...warningsOf(found).map((warning, index): [string, string] => [
      index === 0 ? 'warnings' : '',
      screen.paint('bad', printable(warning)),
    ]),
  ];
  const lines = rows.map(([name, said]) => `  ${screen.paint('quiet', name.padEnd(8))}  ${said}`);
  return [head, ...lines, ''].join('\n');
}

function marathonText({ marathons }: Health, screen: Screen): string {
  if (marathons.every(({ connected, synced }) => connected && synced)) return 'connected';
  return marathons
    .map(({ prefix, connected, synced }) => {
      const word = connected ? (synced ? 'connected' : 'being read') : 'not connected';
      return `${printable(prefix)} ${screen.paint(connected && synced ? 'good' : 'bad', word)}`;
    })
    .join(', ');
}
