/** One instance of a service as a balancer sees it: where it is, how busy it is, whether it is ejected. */
import type { Endpoint } from '../control/contract.ts';

const FIRST_EJECTION_MS = 500;
const LONGEST_EJECTION_MS = 30_000;

/** `isNew`: it took traffic until now, and was not a probe that failed. */
export interface Ejection {
  readonly isNew: boolean;
  readonly pauseMs: number;
}

export class Instance {
  endpoint: Endpoint;
  /** Requests on their way, of this router. */
  inflight = 0;
  /** What its own proxy thinks of it: the hop that sees all its traffic. Callers start from this judgement. */
  reported: { readonly inflight: number; readonly health: number } | null = null;
  private failures = 0;
  private ejectedUntil = 0;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  isEjected(now: number): boolean {
    return now < this.ejectedUntil;
  }

  /** Requests on their way for its weight, counting the one that is to come. */
  load(): number {
    return (this.inflight + 1) / this.endpoint.weight;
  }

  /** A request goes to it. After an ejection that is a probe, and others wait for what it brings; says whether it is. */
  chosen(now: number, random: number): boolean {
    this.inflight += 1;
    if (this.failures === 0) return false;
    this.ejectedUntil = now + ejectionMs(this.failures, random);
    return true;
  }

  released(): void {
    this.inflight -= 1;
  }

  /** Says whether that ends an ejection. */
  succeeded(): boolean {
    const wasEjected = this.failures > 0;
    this.failures = 0;
    this.ejectedUntil = 0;
    return wasEjected;
  }

  /** It could not be reached, or died without an answer. */
  failed(now: number, random: number): Ejection {
    this.failures += 1;
    const pauseMs = ejectionMs(this.failures, random);
    this.ejectedUntil = now + pauseMs;
    return { isNew: this.failures === 1, pauseMs };
  }

  /** The table says something new of it. Another address is a fresh start. */
  update(endpoint: Endpoint): void {
    const moved = endpoint.address !== this.endpoint.address || endpoint.port !== this.endpoint.port;
    this.endpoint = endpoint;
    if (moved) this.succeeded();
  }
}

/** Doubles with each failure; ± 20 %, so that the nodes of a cluster do not probe in step. */
function ejectionMs(failures: number, random: number): number {
  const base = Math.min(FIRST_EJECTION_MS * 2 ** (failures - 1), LONGEST_EJECTION_MS);
  return base * (0.8 + 0.4 * random);
}
