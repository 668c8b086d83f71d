/**
 * Takes the trace context from a request's head and gives the header lines for each attempt upstream. One for each
 * router.
 *
 * What is ours to write: the router's own format always (linkerd's, or B3 with `tracePropagator: io.l5d.zipkin`); the
 * others only where a tracer is active, for then our spans stand between the caller's and the callee's. A header of another
 * trace, or one that cannot be read, passes untouched: it belongs to somebody else.
 */
import { type B3Headers, b3Line, b3Lines, readB3, readB3Decision } from './b3.ts';
import { type RandomWord, TraceContext } from './context.ts';
import { LinkerdHeaderWriter, readLinkerdHeader } from './linkerd-header.ts';
import { isSampledAt, requestedRate } from './sampler.ts';
import { readTraceparent, traceparentLine } from './w3c.ts';

export type PropagatorKind = 'io.l5d.default' | 'io.l5d.zipkin';

/** The values of trace headers in a request's head (the first of each), null where they are absent. */
export interface TraceHeaders extends B3Headers {
  /** `l5d-ctx-trace`. */
  readonly linkerd: string | null;
  /** `l5d-sample`. */
  readonly sample: string | null;
  readonly traceparent: string | null;
}

/** Formats, as bits of a set. */
const NONE = 0;
export const LINKERD = 1;
export const B3_MULTI = 2;
export const B3_SINGLE = 4;
export const W3C = 8;

/**
 * The headers that a set of formats stands for: where the set has the format, they are to be left out of the request that
 * is passed on, because {@link Propagator.send} writes them. `l5d-reqid` is always left out.
 */
export const HEADERS_OF_FORMAT: readonly (readonly [format: number, names: readonly string[]])[] = [
  [LINKERD, ['l5d-ctx-trace']],
  [B3_MULTI, ['x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags']],
  [B3_SINGLE, ['b3']],
  [W3C, ['traceparent']],
];

/** What a propagator needs to know of the tracer behind it; null where there is none. */
export interface SamplingRate {
  readonly sampleRate: number;
  readonly salt: number;
}

export class Propagator {
  private readonly kind: PropagatorKind;
  private readonly random: RandomWord;
  private readonly tracer: SamplingRate | null;
  private readonly writer = new LinkerdHeaderWriter();
  /** For a second format of the same request. */
  private readonly other = new TraceContext();

  constructor(kind: PropagatorKind, random: RandomWord, tracer: SamplingRate | null) {
    this.kind = kind;
    this.random = random;
    this.tracer = tracer;
  }

  /** Sets the context of the server's span: the caller's, or a new root. Returns the formats that are ours to write. */
  receive(headers: TraceHeaders, server: TraceContext): number {
    const source = this.readParent(headers, server);
    if (source === NONE) {
      server.setRoot(this.random);
      readB3Decision(headers, server);
    }
    if (server.sampled === null) this.decide(headers.sample, server);
    const formats = this.formats(headers, server, source);
    // Finagle's server takes the span id of its caller's client. OpenTelemetry knows no shared spans, and Zipkin needs none.
    if (source !== NONE && this.tracer !== null && server.sampled === true) server.setChildOf(server, this.random);
    return formats;
  }

  /** Makes `client` a child of `server` and returns the lines for one attempt. `formats` is what `receive` returned. */
  send(server: TraceContext, client: TraceContext, formats: number): string {
    client.setChildOf(server, this.random);
    if (formats === LINKERD) return this.writer.lines(client);
    let lines = (formats & LINKERD) !== 0 ? this.writer.lines(client) : `l5d-reqid: ${client.traceId}\r\n`;
    if ((formats & B3_MULTI) !== 0) lines += b3Lines(client);
    if ((formats & B3_SINGLE) !== 0) lines += b3Line(client);
    if ((formats & W3C) !== 0) lines += traceparentLine(client);
    return lines;
  }

  /**
   * The router's own format first, then the others: an application that speaks only W3C keeps its trace. Returns the format
   * that had it.
   */
  private readParent(headers: TraceHeaders, into: TraceContext): number {
    const { linkerd, traceparent } = headers;
    const b3 = b3FormatOf(headers);
    if (this.kind === 'io.l5d.zipkin' && b3 !== NONE && readB3(headers, into)) return b3;
    if (linkerd !== null && readLinkerdHeader(linkerd, into)) return LINKERD;
    if (traceparent !== null && readTraceparent(traceparent, into)) return W3C;
    return this.kind === 'io.l5d.default' && b3 !== NONE && readB3(headers, into) ? b3 : NONE;
  }

  /** Nobody has decided yet: `l5d-sample` does, else our own rate; without a tracer it is left to those behind us. */
  private decide(sample: string | null, server: TraceContext): void {
    const { tracer } = this;
    const requested = sample === null ? null : requestedRate(sample);
    if (requested !== null) {
      server.decide(isSampledAt(requested, server, tracer?.salt));
    } else if (tracer !== null) {
      server.decide(isSampledAt(tracer.sampleRate, server, tracer.salt));
      server.decidedByRate = true;
    }
  }

  private formats(headers: TraceHeaders, server: TraceContext, source: number): number {
    const b3 = b3FormatOf(headers);
    const own = this.kind === 'io.l5d.default' ? LINKERD : b3 === NONE ? B3_MULTI : b3;
    if (this.tracer === null) return own;
    let formats = own | source;
    const { other } = this;
    const { traceparent, linkerd } = headers;
    if (linkerd !== null && (formats & LINKERD) === 0) {
      if (readLinkerdHeader(linkerd, other) && this.isSameTrace(server)) formats |= LINKERD;
    }
    if (traceparent !== null && (formats & W3C) === 0) {
      if (readTraceparent(traceparent, other) && this.isSameTrace(server)) formats |= W3C;
    }
    if (b3 !== NONE && (formats & b3) === 0) {
      if (readB3(headers, other) && this.isSameTrace(server)) formats |= b3;
    }
    return formats;
  }

  /** Whether the other format tells of the same trace. Some tracers know only the lower half of an id: it decides. */
  private isSameTrace(server: TraceContext): boolean {
    const { other } = this;
    if (other.trace2 !== server.trace2 || other.trace3 !== server.trace3) return false;
    if (!server.isWide) {
      server.trace0 = other.trace0;
      server.trace1 = other.trace1;
    }
    return true;
  }
}

function b3FormatOf(headers: TraceHeaders): number {
  if (headers.b3TraceId !== null) return B3_MULTI;
  return headers.b3 === null ? NONE : B3_SINGLE;
}
