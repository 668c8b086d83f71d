/**
 * What a configuration would take away: names that had traffic within the last hour, are bound under the one that runs, and
 * would not be under it.
 */
import type { ProxyConfig } from '../../agent-proxy/config/load.ts';
import { concatDtabs, type Dtab, readDtab } from '../../agent-proxy/routing/dtab.ts';
import { type Path, parsePath, showPath } from '../../agent-proxy/routing/path.ts';
import { namesUnbound } from './impact.ts';
import type { RoutingPolicy } from './routing-policy.ts';

type Router = ProxyConfig['routers'][number];

/** One line each. */
export async function namesUnboundBy(
  policy: Pick<RoutingPolicy, 'asked' | 'dtabs' | 'names'>,
  before: ProxyConfig,
  after: ProxyConfig,
  now: number,
): Promise<string[]> {
  const lines: string[] = [];
  for (const router of after.routers) {
    const old = before.routers.find(({ label }) => label === router.label);
    // Others have namers of their own, of which nothing is known here.
    if (old?.interpreter.kind !== 'io.nodemesh.scheduler' || router.interpreter.kind !== 'io.nodemesh.scheduler')
      continue;
    if (saysTheSame(old, router)) continue;
    const { namespace } = old.interpreter;
    const change = {
      before: dtabOf(policy, old, namespace),
      after: dtabOf(policy, router, router.interpreter.namespace),
    };
    const bind = (dtab: Dtab, name: Path) =>
      policy.names.bind(dtab, dtab === change.after ? moved(name, old.dstPrefix, router.dstPrefix) : name);
    for (const name of await namesUnbound(policy.asked.of(namespace, now), change, bind)) {
      lines.push(`router ${router.label}: ${name} would not bind any more`);
    }
  }
  return lines;
}

function saysTheSame(left: Router, right: Router): boolean {
  const said = ({ dtab, dstPrefix, interpreter }: Router): string => JSON.stringify([dtab, dstPrefix, interpreter]);
  return said(left) === said(right);
}

function dtabOf(policy: Pick<RoutingPolicy, 'dtabs'>, { dtab }: Router, namespace: string): Dtab {
  return concatDtabs(readDtab(dtab), readDtab(policy.dtabs.get(namespace)?.text ?? ''));
}

/** The name that a request would have under another `dstPrefix`. */
function moved(name: Path, from: string, to: string): Path {
  const shown = showPath(name);
  if (from === to || !(shown === from || shown.startsWith(`${from}/`))) return name;
  return parsePath(`${to}${shown.slice(from.length)}`) ?? name;
}
