/**
 * The walk of a request, from top to bottom, with the reason for the place of each step: accept → parse → identify → bind →
 * balance → exchange → respond. Two walks: the outgoing router is the first proxy that a request meets, the incoming router
 * stands before the instances of its node. (A router of a configuration file has the first one.) All that can be put together
 * before a request comes is put together once, in `routers.ts` and when a name is bound (`bind/`).
 */
import { type AdmissionParts, admit } from './accept/admit.ts';
import { type LocalDtabs, requestDtab } from './bind/request-dtab.ts';
import type { Routes } from './bind/routes.ts';
import type { PeerKeys } from './control/peer-keys.ts';
import { Target } from './endpoint/target.ts';
import type { Exchange } from './exchange/exchange.ts';
import { readContext } from './exchange/request-context.ts';
import { FIELD } from './http1/fields.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { Identifiers } from './identify/identifiers.ts';

/** What a listener calls for each request that it accepted and parsed. */
export type Walk = (exchange: Exchange) => void;

export interface OutgoingParts extends AdmissionParts {
  readonly identifiers: Identifiers;
  readonly routes: Routes;
  readonly localDtabs: LocalDtabs;
}

/** The walk of a request that an application of this node sends. */
export function outgoingStack(parts: OutgoingParts): Walk {
  const { identifiers, routes, localDtabs } = parts;
  return (exchange) => {
    // Accept and parse have happened (accept/, http1/): limits on connections and heads stand before everything, so that
    // what is refused for its form costs nothing further down.

    // Admit before any work is done for it: a proxy that is late already must not become later for what it refuses.
    if (!admit(exchange, parts)) return;

    // The context (trace, deadline, dtab of its own) before the name: errors of the name are part of the trace, and the dtab
    // has a say in what the name means.
    readContext(exchange);
    const dtab = requestDtab(exchange.head, exchange.entrance.config.clearContext ? 'ignore' : localDtabs);
    if (dtab.kind === 'bad') {
      exchange.refuse({ code: 'bad-request', detail: dtab.reason });
      return;
    }
    exchange.localDtab = dtab.text;

    // Identify: what no identifier understands is the client's mistake (400).
    const key = identifiers.identify(exchange.head);
    if (key === null) {
      exchange.refuse({ code: 'unidentified', detail: identifiers.unnamed.reason });
      return;
    }
    exchange.target = identifiers.target ?? exchange.target;

    // Bind above balance: metrics and budget belong to the name, whichever instance answers in the end. From here on
    // balance, exchange and retries are one loop (exchange/): a retry has to come past the balancer again, for another
    // instance, and must not come past the steps above, which would count the request twice. Respond is its end.
    exchange.follow(routes.route(key, dtab));
  };
}

export interface IncomingParts extends OutgoingParts {
  readonly keys: PeerKeys;
}

/** The walk of a request that comes to an instance of this node. */
export function incomingStack(parts: IncomingParts): Walk {
  const { keys, routes } = parts;
  const others = outgoingStack(parts);
  return (exchange) => {
    // Who is it: before the name is looked at, because a peer has bound it already, and a name is bound once. Anybody else
    // (linkerd, a plain client) is identified by Host, and gets to local instances only: a request that went on to another
    // node from here could go round in circles.
    const peer = addressedByPeer(exchange.head, keys);
    if (peer === null) {
      others(exchange);
      return;
    }
    exchange.answersPeer = true;
    if (!admit(exchange, parts)) return;
    readContext(exchange);
    exchange.localDtab = exchange.head.value(FIELD.contextDtab);
    // Exactly that instance or a nack: the peer has balanced, and has counted this request for this instance.
    const route = routes.bound(peer.bound);
    const branch = route?.branches[0];
    const instance = branch?.client.balancer.find(peer.instance) ?? null;
    if (route === null || branch === undefined || !(instance instanceof Target)) {
      route?.notFollowed();
      // The peer knows what it asked for, and says so to its client: here only what it does not know.
      exchange.refuse({ code: 'nack', detail: `instance ${peer.instance}` });
      return;
    }
    exchange.deliver(route, { branch, instance });
  };
}

function addressedByPeer(head: RequestHead, keys: PeerKeys): { bound: string; instance: string } | null {
  const key = head.value(FIELD.peerKey);
  if (key === null || !keys.accepts(key)) return null;
  const bound = head.value(FIELD.peerBound);
  const instance = head.value(FIELD.peerInstance);
  return bound === null || instance === null ? null : { bound, instance };
}
