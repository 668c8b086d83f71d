/** One request of a router from its arrival to its end: what metrics, reports and the access log are to know of it. */
import type { Binding } from '../balance/bindings.ts';
import type { Instance } from '../balance/instance.ts';
import type { Refusal } from '../balance/picker.ts';
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Downstream } from '../http1/server.ts';
import { logicalName } from '../identify/header-token.ts';
import { errorResponse } from '../respond/error-response.ts';
import type { ServerScope } from '../telemetry/scopes.ts';

/** Who hears of each request when it is over. */
export interface CallListener {
  ended(call: Call): void;
}

export class Call {
  readonly downstream: Downstream;
  readonly server: ServerScope;
  readonly startedAt: number;
  binding: Binding | null = null;
  /** The host that it was identified by, as it was written; null where a peer has bound it. */
  private host: string | null = null;
  instance: Instance | null = null;
  /** The instance and the way to it that answered, for the access log. */
  upstream: string | null = null;
  retries = 0;
  status: number | null = null;
  /** Why it failed, where it did. */
  reason: ReasonCode | null = null;
  /** Until the head of the answer; until the end where there was none. */
  latencyMs = 0;
  private readonly now: () => number;
  private readonly listener: CallListener;
  private over = false;

  constructor(downstream: Downstream, server: ServerScope, now: () => number, listener: CallListener) {
    this.downstream = downstream;
    this.server = server;
    this.now = now;
    this.listener = listener;
    this.startedAt = now();
    server.recorder.pending += 1;
    downstream.onFinished = () => this.end();
    downstream.onGone = () => this.gone();
  }

  get success(): boolean {
    return this.reason === null;
  }

  /** The name that was asked for, as it was identified: bindings go by a normal spelling, people by their own. */
  get logical(): string {
    return this.host === null ? (this.binding?.logical ?? '-') : logicalName(this.host);
  }

  /** It belongs to a service from now on. `host` is what it was identified by, or null where a peer has bound it. */
  bindTo(binding: Binding, host: string | null): void {
    this.binding = binding;
    this.host = host;
    binding.serviceScope.recorder.pending += 1;
  }

  /** The head of an answer is written. */
  answered(status: number, reason: ReasonCode | null): void {
    this.status = status;
    this.reason = reason;
    this.latencyMs = this.now() - this.startedAt;
  }

  /** Answers with an error of the proxy's own. */
  refuse(refusal: Refusal, retryable?: boolean): void {
    const { head, text } = errorResponse(refusal, retryable);
    this.answered(head.status, refusal.code);
    this.downstream.body.settle();
    this.downstream.writeHead(head);
    this.downstream.end(text);
  }

  /** The client went away, or the answer had to be cut. */
  gone(reason: ReasonCode = 'client-gone'): void {
    this.reason = reason;
    if (this.status === null) this.latencyMs = this.now() - this.startedAt;
    this.end();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.downstream.body.settle();
    this.server.recorder.pending -= 1;
    if (this.binding !== null) this.binding.serviceScope.recorder.pending -= 1;
    this.listener.ended(this);
  }
}
