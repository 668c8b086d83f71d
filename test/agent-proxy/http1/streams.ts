/**
 * Drives the proxy's own parser over a stream that comes in pieces, as a connection does, and gives what it read in the
 * words of the reference parser. Each piece is overwritten as soon as it was read: who kept it would be found out.
 */
import { BodyReader } from '../../../agent-proxy/http1/body-reader.ts';
import type { BodyForm } from '../../../agent-proxy/http1/body-sink.ts';
import { FAULTS, type Fault, faultOfScan } from '../../../agent-proxy/http1/faults.ts';
import { FIELD_NAMES } from '../../../agent-proxy/http1/fields.ts';
import { type HeadLimits, HeadScanner } from '../../../agent-proxy/http1/head-scanner.ts';
import { readRequest } from '../../../agent-proxy/http1/request-head.ts';
import { readResponse } from '../../../agent-proxy/http1/response-head.ts';
import type { Pair, ReferenceMessage, ReferenceOutcome, StreamEnd } from './reference-messages.ts';
import { parseChunked } from './reference-parser.ts';

type Head = Omit<ReferenceMessage, 'body' | 'trailers'> & { readonly length: number };

const POISON = 0x58;

abstract class Stream {
  protected readonly scanner = new HeadScanner();
  protected readonly limits: HeadLimits;
  private readonly form: BodyForm;
  private readonly messages: ReferenceMessage[] = [];
  private held = Buffer.alloc(0);
  protected head: Head | null = null;
  private body: BodyReader | null = null;
  /** What the reader passed on of the present body. */
  private passed = '';
  private end: StreamEnd = { kind: 'complete' };

  constructor(limits: HeadLimits, form: BodyForm) {
    this.limits = limits;
    this.form = form;
  }

  feed(piece: Buffer): void {
    if (this.end.kind === 'fault') return;
    const bytes = Buffer.concat([this.held, piece]);
    this.held = Buffer.alloc(0);
    let from = 0;
    while (from < bytes.length && !this.isOver) {
      const to = this.body === null ? this.readHead(bytes, from) : this.readBody(this.body, bytes, from);
      if (to === from) break;
      from = to;
    }
    this.held = Buffer.from(bytes.subarray(from));
    bytes.fill(POISON);
  }

  outcome(): ReferenceOutcome {
    const { messages, head, end } = this;
    const partial = head === null ? null : this.message(head);
    const isUnfinished = end.kind === 'complete' && (partial !== null || this.held.length > 0);
    return { messages, partial, end: isUnfinished && !this.isOver ? { kind: 'unfinished' } : end };
  }

  protected abstract readonly isOver: boolean;
  protected abstract emptyLines(bytes: Buffer, from: number): number;
  protected abstract answersTo(status: number): number;
  protected abstract scan(bytes: Buffer, from: number): number;
  protected abstract read(bytes: Buffer, from: number, to: number): Head | Fault;

  protected fields(bytes: Buffer): Pair[] {
    const { scanner } = this;
    return Array.from({ length: scanner.count }, (_, index) => {
      const line = bytes.toString('latin1', scanner.lineStart(index), scanner.valueStart(index));
      const value = bytes.toString('latin1', scanner.valueStart(index), scanner.valueEnd(index));
      return [line.slice(0, line.indexOf(':')), value];
    });
  }

  private readHead(bytes: Buffer, start: number): number {
    const from = this.emptyLines(bytes, start);
    if (from === bytes.length) return from;
    const to = this.scan(bytes, from);
    const fault = faultOfScan(to);
    if (fault !== null) return this.refuse(fault, from);
    // Not from `start`: an empty line that was skipped is not held.
    if (to === 0) return from;
    const head = this.read(bytes, from, to);
    if (typeof head === 'number') return this.refuse(head, from);
    this.head = head;
    this.passed = '';
    const sink = {
      bytes: (piece: Buffer, at: number, pieceEnd: number) => {
        this.passed += piece.toString('latin1', at, pieceEnd);
      },
      text: (text: string) => {
        this.passed += text;
      },
    };
    this.body = new BodyReader(head.framing, head.length, this.form, sink);
    this.finish();
    return to;
  }

  private readBody(body: BodyReader, bytes: Buffer, from: number): number {
    const to = body.read(bytes, from, bytes.length);
    const fault = faultOfScan(to);
    if (fault !== null) return this.refuse(fault, from);
    this.finish();
    return to;
  }

  private finish(): void {
    if (this.head === null || this.body?.ended !== true) return;
    this.messages.push(this.message(this.head));
    this.head = null;
    this.body = null;
  }

  /** Nothing further is read: the offset stays. */
  private refuse(fault: Fault, at: number): number {
    const { status, sentence } = FAULTS[fault];
    this.end = { kind: 'fault', status: this.answersTo(status), why: sentence };
    return at;
  }

  private message({ start, version, fields, framing, persists }: Head): ReferenceMessage {
    // What is passed on to the next hop is framed anew: an independent reader has to find the same content in it.
    const { body, trailers } =
      framing === 'chunked' && this.form === 'framed' ? parseChunked(this.passed) : { body: this.passed, trailers: [] };
    return { start, version, fields, framing, persists, body, trailers };
  }
}

class RequestStream extends Stream {
  protected readonly isOver = false;

  protected emptyLines(bytes: Buffer, from: number): number {
    let at = from;
    while (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
    return at;
  }

  protected answersTo(status: number): number {
    return status;
  }

  protected scan(bytes: Buffer, from: number): number {
    return this.scanner.request(bytes, from, bytes.length, this.limits);
  }

  protected read(bytes: Buffer, from: number, to: number): Head | Fault {
    const { scanner } = this;
    const head = readRequest(scanner, bytes, from, to);
    if (typeof head === 'number') return head;
    const { method, target, host, expectsContinue, framing, length, keepAlive } = head;
    const written = bytes.toString('latin1', scanner.targetStart, scanner.targetEnd);
    return {
      start: { kind: 'request', method, written, target, host, expectsContinue },
      version: head.version,
      fields: this.fields(bytes),
      framing,
      length,
      persists: keepAlive,
    };
  }
}

class ResponseStream extends Stream {
  private readonly methods: readonly string[];
  private answered = 0;

  constructor(methods: readonly string[], limits: HeadLimits, form: BodyForm) {
    super(limits, form);
    this.methods = methods;
  }

  protected get isOver(): boolean {
    return this.answered >= this.methods.length && this.head === null;
  }

  protected emptyLines(_bytes: Buffer, from: number): number {
    return from;
  }

  protected answersTo(): number {
    return 502;
  }

  protected scan(bytes: Buffer, from: number): number {
    return this.scanner.response(bytes, from, bytes.length, this.limits);
  }

  protected read(bytes: Buffer, from: number, to: number): Head | Fault {
    const head = readResponse(this.scanner, bytes, from, to, this.methods[this.answered] ?? 'GET', false);
    if (typeof head === 'number') return head;
    if (head.status >= 200) this.answered += 1;
    return {
      start: { kind: 'response', status: head.status, reason: head.reason.slice(1) },
      version: this.scanner.version === 10 ? '1.0' : '1.1',
      fields: this.fields(bytes),
      framing: head.framing,
      length: head.length,
      persists: head.keepAlive,
    };
  }
}

/** What the proxy reads of these pieces of a stream of requests. */
export function requestsIn(pieces: readonly Buffer[], limits: HeadLimits, form: BodyForm = 'framed'): ReferenceOutcome {
  return outcomeOf(new RequestStream(limits, form), pieces);
}

/** The same for the responses to requests of these methods. */
export function responsesIn(
  pieces: readonly Buffer[],
  methods: readonly string[],
  limits: HeadLimits,
  form: BodyForm = 'framed',
): ReferenceOutcome {
  return outcomeOf(new ResponseStream(methods, limits, form), pieces);
}

function outcomeOf(stream: Stream, pieces: readonly Buffer[]): ReferenceOutcome {
  for (const piece of pieces) stream.feed(piece);
  return stream.outcome();
}

/** The bytes of a stream, cut at these offsets. */
export function cutAt(stream: string, offsets: readonly number[]): Buffer[] {
  const bytes = Buffer.from(stream, 'latin1');
  const bounds = [0, ...offsets.filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((to, index) => bytes.subarray(bounds[index], to));
}

/** The bytes of a stream, one by one. */
export function octetsOf(stream: string): Buffer[] {
  return cutAt(
    stream,
    Array.from({ length: stream.length }, (_, at) => at),
  );
}

/**
 * What two parsers have to agree on: messages, what came of an unfinished one, and how it ended, but for the words. The
 * proxy drops trailers that it knows by name.
 */
export function verdictOf({ messages, partial, end }: ReferenceOutcome): unknown {
  return {
    messages: messages.map(comparable),
    partial: partial === null ? null : comparable(partial),
    end: end.kind === 'fault' ? `fault ${end.status}` : end.kind,
  };
}

const KNOWN_TRAILERS: ReadonlySet<string> = new Set(Object.values(FIELD_NAMES));

function comparable(message: ReferenceMessage): ReferenceMessage {
  return { ...message, trailers: withoutKnownTrailers(message.trailers) };
}

/** As the proxy passes them on. */
export function withoutKnownTrailers(trailers: readonly Pair[]): Pair[] {
  return trailers.filter(([name]) => !KNOWN_TRAILERS.has(name.toLowerCase()));
}
