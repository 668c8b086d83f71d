/** What all scopes of requests share, whatever the requests have in common. */
import type { ReasonCode } from '../control/reason-codes.ts';
import type { Labels, MetricScope } from './metrics-tree.ts';
import { type FigureVisitor, RequestRecorder, visitRequests } from './recorder.ts';

/** A scope of requests: a recorder, reasons of failures, and whatever `more` adds. */
export abstract class RequestScope implements MetricScope {
  readonly recorder = new RequestRecorder();
  readonly path: string;
  private readonly router: string;
  private reasons: Map<ReasonCode, number> | null = null;

  constructor(router: string, kind: Kind, id: string) {
    this.router = router;
    this.path = `rt/${router}/${kind}/${id}`;
  }

  abstract get name(): string;

  /** Requests on their way. */
  abstract get pending(): number;

  get labels(): Labels {
    const kind = this.name.slice('rt:'.length);
    return { rt: this.router, [kind]: this.path.slice(`rt/${this.router}/${kind}/`.length) };
  }

  /** A request of this scope failed, for this reason. Its outcome is recorded besides. */
  failed(code: ReasonCode): void {
    this.reasons ??= new Map();
    this.reasons.set(code, (this.reasons.get(code) ?? 0) + 1);
  }

  visit(visitor: FigureVisitor): void {
    visitRequests(this.requests(), this.pending, visitor);
    if (this.reasons !== null) {
      for (const [code, count] of this.reasons) visitor.counter(`failures/${code}`, count);
    }
    this.more(visitor);
  }

  /** All that was recorded. */
  protected requests(): readonly RequestRecorder[] {
    return [this.recorder];
  }

  protected abstract more(visitor: FigureVisitor): void;
}

type Kind = 'server' | 'service' | 'client';
