/** What a router tells of a request besides its answer: the health of an instance to peers, how it went to who may ask. */
import { PEER_HEALTH_HEADER } from './control/wire-words.ts';
import { formatPeerHealth } from './endpoint/peer-health.ts';
import type { Exchange, ExchangeHooks } from './exchange/exchange.ts';
import type { LocalInstances } from './health/local-instances.ts';
import { tracedRequest } from './recording.ts';
import { debugValue, diagnosticText } from './tracing/diagnostic.ts';

/** `locals` is null but for the incoming router of a mesh. */
export function annotator(locals: LocalInstances | null, now: () => number): ExchangeHooks['annotate'] {
  return (exchange, attempt) => {
    let lines = '';
    if (exchange.stickiness !== null && attempt !== null) lines = exchange.stickiness.line(attempt.instance);
    if (exchange.wantsDebug) lines = `l5d-debug: ${debugValue(tracedRequest(exchange, now()), now())}\r\n`;
    // The judgement of the hop that sees all traffic (contract 8) is told to the peer with each answer.
    if (locals === null || attempt === null || !exchange.answersPeer) return lines;
    const { endpoint, inflight } = attempt.instance;
    const health = locals.find(endpoint.instance)?.health;
    return health === undefined
      ? lines
      : `${lines}${PEER_HEALTH_HEADER}: ${formatPeerHealth({ inflight, health })}\r\n`;
  };
}

/** linkerd's block of text for a TRACE with `l5d-add-context`. */
export function diagnosticOf(exchange: Exchange, now: number): string {
  const { runtime, attempt, branch, logical, startedAt } = exchange;
  return diagnosticText({
    router: runtime.label,
    durationMs: now - startedAt,
    service: logical ?? '-',
    client: branch?.client.id ?? '-',
    addresses: branch?.client.balancer.addresses() ?? [],
    selected: attempt?.where ?? null,
    resolution: logical === null || branch === null ? [] : [step(logical), step(branch.client.id)],
  });
}

function step(path: string): { readonly path: string; readonly dentry: null } {
  return { path, dentry: null };
}
