/**
 * Whether a client that ended its side is still there. It may have said only that this was its last request, or be gone
 * altogether: TCP says the same of both. Something that is written to one that is gone brings a reset.
 */

/** A 1xx that tells an HTTP/1.1 client nothing (RFC 9110, 15.2). */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** One without its answer is asked after so long; the first reset needs two. */
const PROBES_MS = [250, 100] as const;
const LATER_PROBES_MS = 5_000;
/** One in the midst of its answer cannot be asked: it is taken for gone when it got nothing more for so long. */
const UNTOLD_MS = 1_000;

export class EndedClient {
  private probes = 0;
  private writtenBefore = -1;

  /** Milliseconds until it is to be asked. */
  beforeAsking(): number {
    const ms = PROBES_MS[this.probes] ?? LATER_PROBES_MS;
    this.probes += 1;
    return ms;
  }

  /** Milliseconds until {@link gotMore} is to be looked at; `written` bytes of answers were written until now. */
  beforeLooking(written: number): number {
    this.writtenBefore = written;
    return UNTOLD_MS;
  }

  /** `unsent` bytes wait in the socket: they are on their way. */
  gotMore(written: number, unsent: number): boolean {
    return written !== this.writtenBefore || unsent > 0;
  }
}
