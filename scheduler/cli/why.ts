/** `nodemesh why NODE`: all that the scheduler knows of one node, and why it is not healthy. */
import { editDistance } from '../../agent-proxy/config/closest.ts';
import { type NodeAnswer, nodesAnswerSchema } from '../dashboard/src/model/answers.ts';
import { ageOf, formatAge } from '../dashboard/src/model/format.ts';
import { getJson } from './http.ts';
import { toneOf } from './nodes.ts';
import { newCommand, type SchedulerOption, schedulerOption } from './options.ts';
import { QuietEnd, UnknownName } from './outcome.ts';
import type { Screen } from './screen.ts';
import { printable } from './table.ts';

const MOST_SUGGESTIONS = 3;

export async function why(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh why', 'Say how the proxy of a node is, and why it is not healthy.', version)
    .argument('<node>', "the node's hostname, address or agent id")
    .addOption(schedulerOption())
    .option('--json', "print the scheduler's answer on the node as it is, for programs")
    .addHelpText('after', '\nThe exit code is 0 if the node is healthy, 1 if not, 2 if there is no such node.');
  command.parse([...args], { from: 'user' });
  const { scheduler, json } = command.opts<SchedulerOption & { readonly json?: true }>();
  const [wanted = ''] = command.args;

  const { value: nodes, raw } = await getJson(scheduler, 'v1/nodes', nodesAnswerSchema);
  const indices = matching(nodes, wanted);
  if (indices.length === 0) throw new UnknownName(`there is no node '${wanted}'${suggestion(nodes, wanted)}`);
  const found = indices.flatMap((index) => nodes[index] ?? []);
  if (json) {
    const answers = Array.isArray(raw) ? indices.map((index): unknown => raw[index]) : [];
    screen.write(`${JSON.stringify(answers, null, 2)}\n`);
  } else screen.write(found.map((node) => describeNode(node, screen, Date.now())).join('\n'));
  if (found.some((node) => node.state !== 'healthy')) throw new QuietEnd(1);
}

/** An agent id names one; a hostname or an address may be that of several agents on one machine. */
function matching(nodes: readonly NodeAnswer[], wanted: string): number[] {
  const where = (test: (node: NodeAnswer) => boolean): number[] =>
    nodes.flatMap((node, index) => (test(node) ? [index] : []));
  const byId = where((node) => node.agentId === wanted);
  if (byId.length > 0) return byId;
  const lower = wanted.toLowerCase();
  return where((node) => node.hostname.toLowerCase() === lower || node.ip === wanted);
}

function suggestion(nodes: readonly NodeAnswer[], wanted: string): string {
  if (nodes.length === 0) return ': no node is known yet';
  const near = nearest(
    nodes.flatMap((node) => [node.hostname, node.ip, node.agentId]),
    wanted,
  );
  return near.length === 0 ? '; nodemesh nodes lists them' : `; did you mean ${near.join(', ')}?`;
}

/** Names that hold what was written, then those that differ from it in little. */
function nearest(names: readonly string[], wanted: string): string[] {
  const limit = Math.max(2, Math.floor(wanted.length / 4));
  const lower = wanted.toLowerCase();
  const ranked = [...new Set(names)].flatMap((name) => {
    const distance = name.toLowerCase().includes(lower) ? 0 : editDistance(lower, name.toLowerCase(), limit);
    return distance > limit ? [] : [{ name, distance }];
  });
  return ranked
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ name }) => name);
}

function describeNode(node: NodeAnswer, screen: Screen, now: number): string {
  const address = node.ip === node.hostname ? '' : ` (${node.ip})`;
  const place = [node.region, node.zone].filter((each) => typeof each === 'string').join('/');
  const facts = [`agent ${node.agentId}`, node.public ? 'public' : 'private', ...(place === '' ? [] : [place])];
  const since = node.since ?? null;
  const age = since === null ? '' : ` for ${formatAge(ageOf(since, now))} (since ${since})`;
  const rows: [string, string][] = [
    ['state', `${screen.paint(toneOf(node.state), printable(node.state))}${printable(age)}`],
    ...(node.reason == null ? [] : [['reason', printable(node.reason)] satisfies [string, string]]),
    ['task', printable(node.taskId ?? 'none')],
    ['running', revision(node.running, node.taskId == null ? 'nothing' : 'not known: the proxy has not said it')],
    ['wanted', revision(node.wanted, 'nothing')],
    ...(node.goal == null ? [] : [['goal', printable(node.goal)] satisfies [string, string]]),
  ];
  const head = screen.paint('head', printable(`${node.hostname}${address}`));
  const lines = rows.map(([name, text]) => `  ${screen.paint('quiet', name.padEnd(7))}  ${text}`);
  return [`${head}, ${printable(facts.join(', '))}`, ...lines, ''].join('\n');
}

function revision(given: NodeAnswer['running'], without: string): string {
  return given == null ? without : printable(`version ${given.version}, configuration ${given.configRevision}`);
}
