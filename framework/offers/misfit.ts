/** Why an offer was of no use, in the words of one clause: what is missing, who has it, and what to do about it. */
import type { Misfit, Node } from '../daemonset/state.ts';
import type { Range } from '../mesos-http-client/messages.ts';
import type { Gap } from './placement.ts';

export function misfitClause(misfit: Misfit, node: Node): string {
  if (misfit.kind === 'other') return misfit.why;
  return misfit.gaps.map((gap) => gapClause(gap, node)).join('; ');
}

function gapClause(gap: Gap, node: Node): string {
  if (gap.resource !== 'ports') {
    const { resource, needed, offered } = gap;
    const missing = Math.round((needed - offered) * 1000) / 1000;
    const what = resource === 'cpus' ? 'cpus' : `MB of ${resource === 'mem' ? 'memory' : 'disk'}`;
    return `${missing} ${what} missing (${needed} needed, ${offered} offered)`;
  }
  const outside = gap.missing.filter((port) => node.agentPorts !== null && !isIn(port, node.agentPorts));
  const taken = gap.missing.filter((port) => !outside.includes(port));
  const clauses = taken.map((port) => {
    const holder = node.portHolders[port];
    if (holder !== undefined) return `port ${port} is taken by task ${holder}`;
    return node.agentPorts === null
      ? `port ${port} is not offered (offered are ${printed(gap.offered)}; use --ports for others)`
      : `port ${port} is taken by something else`;
  });
  if (outside.length > 0) {
    const ports = `port${outside.length === 1 ? '' : 's'} ${outside.join(', ')}`;
    const are = outside.length === 1 ? 'is' : 'are';
    clauses.unshift(`${ports} ${are} not in the offered ranges ${printed(node.agentPorts ?? [])} (use --ports)`);
  }
  return clauses.join('; ');
}

const isIn = (port: number, ranges: readonly Range[]): boolean =>
  ranges.some(({ begin, end }) => begin <= port && port <= end);

const MOST_RANGES = 4;

function printed(ranges: readonly Range[]): string {
  if (ranges.length === 0) return 'none';
  const some = ranges.slice(0, MOST_RANGES).map(({ begin, end }) => (begin === end ? `${begin}` : `${begin}–${end}`));
  return ranges.length > MOST_RANGES ? `${some.join(', ')}, …` : some.join(', ');
}
