/** The telemeter `io.l5d.recentRequests`: a sample of the last requests, as `/requests` of the admin listener shows them. */

/** A request that is over. */
export interface RecentRequest {
  /** ms since 1970, when it arrived. */
  readonly at: number;
  /** The caller: `10.0.0.7:51000`. */
  readonly source: string;
  /** Where it was accepted: `127.0.0.1:4140`. */
  readonly server: string;
  /** The router's label. */
  readonly router: string;
  /** `/svc/web`; null where no name was found. */
  readonly logical: string | null;
  /** `/#/io.l5d.marathon/web`; null where the name was not bound. */
  readonly concrete: string | null;
  /** `10.0.0.1:8080`; null where it was sent nowhere. */
  readonly destination: string | null;
  readonly status: number | null;
  /** Why it failed, where it did. */
  readonly reason: string | null;
}

/** As people read it: a dash for what is missing. */
export type RecentRow = Readonly<Record<Exclude<keyof RecentRequest, 'at'> | 'time', string>>;

export class RecentRequests {
  private readonly capacity: number;
  private readonly sampleRate: number;
  private readonly random: () => number;
  private readonly ring: RecentRequest[] = [];
  private next = 0;

  /** `random` gives 0 ≤ x < 1. */
  constructor(capacity: number, sampleRate: number, random: () => number) {
    this.capacity = capacity;
    this.sampleRate = sampleRate;
    this.random = random;
  }

  /** Whether the next request is one of the sample: asked before a record of it is made. */
  wants(): boolean {
    return this.random() < this.sampleRate;
  }

  add(request: RecentRequest): void {
    this.ring[this.next] = request;
    this.next = (this.next + 1) % this.capacity;
  }

  /** The last one first. */
  rows(): RecentRow[] {
    const { ring, next } = this;
    return [...ring.slice(next), ...ring.slice(0, next)].reverse().map(rowOf);
  }
}

function rowOf({
  at,
  source,
  server,
  router,
  logical,
  concrete,
  destination,
  status,
  reason,
}: RecentRequest): RecentRow {
  return {
    time: new Date(at).toISOString(),
    source,
    server,
    router,
    logical: logical ?? '-',
    concrete: concrete ?? '-',
    destination: destination ?? '-',
    status: status === null ? '-' : String(status),
    reason: reason ?? '-',
  };
}
