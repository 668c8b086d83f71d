/**
 * The walk of a request, from top to bottom, with the reason for the place of each step. Two walks: the outgoing router
 * is the first proxy that a request meets, the incoming router stands before the instances of its node. (A proxy without
 * a scheduler has one walk, the outgoing one over names that a dtab binds.) All that can be put together before a request
 * comes is put together here, once.
 */
import { type Binding, type Bindings, boundName } from './balance/bindings.ts';
import type { Pick, Refusal } from './balance/picker.ts';
import { PEER_HEADERS, PEER_HEALTH_HEADER } from './control/contract.ts';
import type { PeerKeys } from './control/peer-keys.ts';
import type { Call } from './endpoint/call.ts';
import { type ChooseInstance, Exchange, type ExchangeContext } from './endpoint/exchange.ts';
import { formatPeerHealth } from './endpoint/peer-health.ts';
import { LocalInstance, type LocalInstances } from './health/local-instances.ts';
import { headerOf, type RequestHead } from './http1/message.ts';
import { identifyByHost, logicalName } from './identify/header-token.ts';
import { hintForHost } from './respond/hints.ts';

/** What a listener calls for each request that it accepted and parsed. */
export type Walk = (call: Call) => void;

/** A name bound, or why not. */
export type Bound =
  | { readonly kind: 'bound'; readonly binding: Binding }
  | { readonly kind: 'none'; readonly refusal: Refusal };
export type Bind = (host: string) => Bound;

/** The walk of a request that an application of this node sends. */
export function outgoingStack(bind: Bind, context: ExchangeContext): Walk {
  return (call) => {
    // Accept and parse have happened (accept/, http1/): limits on connections and heads stand before everything, so that
    // what is refused for its form costs nothing further down.

    // Identify before anything is looked up, and bind above balance: metrics and budget belong to the name, whichever
    // instance answers in the end.
    const bound = identifyAndBind(call, bind);
    if (bound === null) return;
    const { binding, host } = bound;
    call.bindTo(binding, host);

    // Balance, exchange and retries are one loop (endpoint/exchange.ts): a retry has to come past the balancer again, for
    // another instance, and must not come past the steps above, which would count the request twice. Respond is its end.
    new Exchange(context, call, binding, (tried, now) => binding.balancer.picker.pick(tried, now), {
      toPeer: false,
      annotate: null,
    }).begin();
  };
}

export interface IncomingParts {
  readonly keys: PeerKeys;
  readonly locals: LocalInstances;
  readonly bindings: Bindings;
  readonly bind: Bind;
  readonly context: ExchangeContext;
}

/** The walk of a request that comes to an instance of this node. */
export function incomingStack({ keys, locals, bindings, bind, context }: IncomingParts): Walk {
  return (call) => {
    // Who is it: before the name is looked at, because a peer has bound it already, and a name is bound once.
    const peer = addressedByPeer(call.downstream.head, keys);
    if (peer !== null) {
      // Exactly that instance or a nack: the peer has balanced, and has counted this request for this instance.
      const local = locals.find(peer.instance);
      const binding = local === undefined ? null : bindings.byService(local.endpoint.service);
      if (local === undefined || binding === null || boundName(local.endpoint.service) !== peer.bound) {
        // The peer knows what it asked for, and says so to its client: here only what it does not know.
        call.refuse({ code: 'nack', detail: `instance ${peer.instance}` });
        return;
      }
      call.bindTo(binding, null);
      deliver(call, binding, context, (tried) => onlyOnce(local, tried), true);
      return;
    }

    // Anybody else (linkerd, a plain client) is identified by Host, and gets to local instances only: a request that
    // went on to another node from here could go round in circles.
    const bound = identifyAndBind(call, bind);
    if (bound === null) return;
    const { binding, host } = bound;
    if (binding.balancer.size === 0) {
      call.refuse({ code: 'nack', detail: `${logicalName(host)} is ${binding.bound}` });
      return;
    }
    call.bindTo(binding, host);
    deliver(call, binding, context, (tried, now) => binding.balancer.picker.pick(tried, now), false);
  };
}

/** The name of a request and what it is bound to; null where either cannot be had, and the call is refused. */
function identifyAndBind(call: Call, bind: Bind): { readonly binding: Binding; readonly host: string } | null {
  const identified = identifyByHost(call.downstream.head);
  if (identified.kind === 'unidentified') {
    // What no identifier understands is the client's mistake (400).
    call.refuse({ code: 'unidentified', detail: identified.reason });
    return null;
  }
  const { host } = identified;
  const bound = bind(host);
  if (bound.kind === 'none') {
    refuseUnbound(call, host, bound.refusal);
    return null;
  }
  return { binding: bound.binding, host };
}

function deliver(call: Call, binding: Binding, context: ExchangeContext, pick: ChooseInstance, toPeer: boolean): void {
  // The judgement of the hop that sees all traffic (contract 8) is told to the peer with each answer.
  const annotate = (headers: string[]): void => {
    if (call.instance instanceof LocalInstance) headers.push(PEER_HEALTH_HEADER, formatPeerHealth(call.instance));
  };
  new Exchange(context, call, binding, pick, { toPeer, annotate: toPeer ? annotate : null }).begin();
}

function refuseUnbound(call: Call, host: string, refusal: Refusal): void {
  const hint = refusal.code === 'unknown-name' ? hintForHost(host, call.downstream.localPort) : null;
  call.refuse(hint === null ? refusal : { ...refusal, hint });
}

function onlyOnce(local: LocalInstance, tried: readonly unknown[]): Pick {
  if (tried.length === 0) return { kind: 'instance', instance: local };
  return { kind: 'none', refusal: { code: 'refused', detail: `instance ${local.endpoint.instance}` } };
}

function addressedByPeer(head: RequestHead, keys: PeerKeys): { bound: string; instance: string } | null {
  const key = headerOf(head.headers, PEER_HEADERS.key);
  if (key === null || !keys.accepts(key)) return null;
  const bound = headerOf(head.headers, PEER_HEADERS.bound);
  const instance = headerOf(head.headers, PEER_HEADERS.instance);
  return bound === null || instance === null ? null : { bound, instance };
}
