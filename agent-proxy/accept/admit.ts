/** Whether a request may come in at all: limits of its server and of its router, loops, and methods that ask for a tunnel. */
import type { Exchange } from '../exchange/exchange.ts';
import { withoutBlanks } from '../http1/field-values.ts';
import { maxForwards } from '../identify/max-forwards.ts';
import type { LoadShedder } from '../resilience/admission.ts';

export interface AdmissionParts {
  readonly shedder: LoadShedder | null;
  /** Requests of this router under way, this one among them. */
  readonly inflight: () => number;
  /** Whether names can be bound at all: under a scheduler there has to be a table. */
  readonly isReady: () => boolean;
}

/** False: it was refused, or answered. */
export function admit(exchange: Exchange, parts: AdmissionParts): boolean {
  const { head, entrance, runtime } = exchange;
  const { maxCallDepth } = entrance.config;
  if (head.hops > maxCallDepth) {
    const detail = `it came through ${head.hops} proxies, and more than ${maxCallDepth} look like a loop`;
    exchange.refuse({ code: 'bad-request', detail });
    return false;
  }
  if (!exchange.takePermit()) {
    exchange.refuse({ code: 'shed', detail: 'maxConcurrentRequests of this server are under way' });
    return false;
  }
  if (!parts.isReady()) {
    exchange.refuse({ code: 'not-ready', detail: `router ${runtime.label}` });
    return false;
  }
  const pending = parts.inflight();
  if (pending > runtime.settings.maxPendingRequests || parts.shedder?.admits(pending - 1) === false) {
    exchange.refuse({ code: 'shed', detail: `${pending} requests are under way in router ${runtime.label}` });
    return false;
  }
  return admitMethod(exchange);
}

/** CONNECT and Upgrade pass where the configuration says so; TRACE and OPTIONS may be meant for this very proxy. */
function admitMethod(exchange: Exchange): boolean {
  const { head, runtime } = exchange;
  switch (head.method) {
    case 'CONNECT':
      exchange.isConnect = runtime.settings.allowsConnect;
      if (exchange.isConnect) return true;
      exchange.refuse({
        code: 'not-supported',
        detail: 'CONNECT is not allowed in this router (nodemesh: {connect: true})',
      });
      return false;
    case 'TRACE':
    case 'OPTIONS':
      return admitCounted(exchange);
    default:
      if (head.upgrade !== null && head.framing === 'none') {
        exchange.upgrade = firstOf(head.upgrade, runtime.settings.upgrades);
      }
      return true;
  }
}

/** Of what a client offers to upgrade to, in its order, what passes. All else may be ignored (RFC 9110, 7.8), and is. */
function firstOf(offered: string, passing: ReadonlySet<string>): string | null {
  const protocols = offered.split(',').map(withoutBlanks);
  return protocols.find((protocol) => passing.has(protocol)) ?? null;
}

function admitCounted(exchange: Exchange): boolean {
  const { head } = exchange;
  exchange.wantsDiagnostic = head.method === 'TRACE' && head.header('l5d-add-context') === 'true';
  const count = maxForwards(head.method, head.header('max-forwards'), exchange.kept);
  switch (count.kind) {
    case 'none':
      return true;
    case 'on':
      exchange.changedLines = count.lines;
      return true;
    case 'bad':
      exchange.refuse({ code: 'bad-request', detail: 'its Max-Forwards is not a number' });
      return false;
    case 'here':
      // A TRACE's own lines are not sent back: they may hold secrets that its sender was never shown (RFC 9110, 9.3.8).
      exchange.answer(200, 'Content-Type: text/plain; charset=utf-8\r\n', exchange.diagnostic ?? '');
      return false;
  }
}
