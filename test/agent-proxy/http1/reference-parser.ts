/**
 * A slow, obvious HTTP/1.1 parser, to compare the proxy's with. It is written from the grammar of RFC 9112 and RFC 9110
 * alone, shares no code with the proxy, and takes a byte string (one character a byte) that is all there is of a stream.
 * Each octet is taken by itself, so it knows at which octet a message stops being one, and what is merely unfinished.
 *
 * Where the RFCs leave a choice to the recipient it makes the proxy's: the strict one. Three things are its own words:
 * a version other than 1.0 and 1.1 is refused (505), an extension of a chunk may be any text behind its semicolon, and a
 * bracketed host is taken for an IPv6 address by its characters.
 */
import { fieldSection, type Head, requestHead, responseHead, VALUE_CHAR } from './reference-heads.ts';
import type { Pair, ReferenceLimits, ReferenceMessage, ReferenceOutcome, StreamEnd } from './reference-messages.ts';
import { Octets, Refused, Unfinished } from './reference-octets.ts';

const HEXDIG = /[0-9A-Fa-f]/;
const BLANK = /[ \t]/;
const TRAILER_LIMITS: ReferenceLimits = { maxLine: 0, maxHeaders: 8 * 1024, maxFields: 64 };
const MOST_EXTENSION = 256;

/** What was read of a body so far; filled while it is read, so that it is there when the reading stops half-way. */
interface Content {
  body: string;
  trailers: readonly Pair[];
}

function chunkedBody(octets: Octets, content: Content): void {
  octets.limit(Number.POSITIVE_INFINITY, 400);
  for (;;) {
    const size = chunkSize(octets);
    if (size === 0) break;
    take(octets, size, content);
    octets.expect('\r\n', 400, 'a chunk does not end with CR LF');
  }
  content.trailers = fieldSection(octets, TRAILER_LIMITS, 400);
}

function chunkSize(octets: Octets): number {
  let digits = '';
  while (HEXDIG.test(octets.peek())) {
    digits += octets.any();
    if (digits.length > 13) throw new Refused(400, 'a chunk is too large');
  }
  if (digits === '') throw new Refused(400, 'a chunk without a size');
  const begin = octets.at;
  octets.limit(begin + MOST_EXTENSION, 400);
  // `BWS ";"`: white space may only stand there if an extension follows (RFC 9112, 7.1.1).
  const blank = octets.run(BLANK);
  if (octets.peek() === ';') octets.run(VALUE_CHAR);
  else if (blank !== '') throw new Refused(400, 'space behind the size of a chunk');
  octets.limit(Number.POSITIVE_INFINITY, 400);
  octets.expect('\r\n', 400, 'the size of a chunk does not end with CR LF');
  return Number.parseInt(digits, 16);
}

function take(octets: Octets, count: number, content: Content): void {
  for (let taken = 0; taken < count; taken += 1) {
    const octet = octets.any();
    if (octet === null) throw new Unfinished();
    content.body += octet;
  }
}

function readBody(octets: Octets, head: Head, content: Content): void {
  if (head.framing === 'length') take(octets, head.length, content);
  else if (head.framing === 'chunked') chunkedBody(octets, content);
  else if (head.framing === 'close') take(octets, Number.POSITIVE_INFINITY, content);
}

interface Reading {
  nextHead(octets: Octets): Head;
  /** Whether nothing is read behind the message that was read last. */
  isOver(): boolean;
  /** RFC 9112, 2.2: a server skips empty lines before a request. */
  readonly skipsEmptyLines: boolean;
  /** The status that every fault has, if not its own. */
  readonly faultsAs: number | null;
}

function parse(stream: string, reading: Reading): ReferenceOutcome {
  const octets = new Octets(stream);
  const messages: ReferenceMessage[] = [];
  let head: Head | null = null;
  let content: Content = { body: '', trailers: [] };
  try {
    for (;;) {
      while (reading.skipsEmptyLines && !octets.isAtEnd && octets.peek() === '\r') {
        octets.expect('\r\n', 400, 'CR without LF');
      }
      if (octets.isAtEnd || reading.isOver()) return { messages, partial: null, end: { kind: 'complete' } };
      content = { body: '', trailers: [] };
      head = reading.nextHead(octets);
      readBody(octets, head, content);
      messages.push(messageOf(head, content));
      head = null;
    }
  } catch (error) {
    const partial = head === null ? null : messageOf(head, content);
    if (error instanceof Unfinished) return { messages, partial, end: { kind: 'unfinished' } };
    if (!(error instanceof Refused)) throw error;
    const status = reading.faultsAs ?? error.status;
    return { messages, partial, end: { kind: 'fault', status, why: error.message } };
  }
}

function messageOf({ start, version, fields, framing, persists }: Head, content: Content): ReferenceMessage {
  return { start, version, fields, framing, persists, ...content };
}

/** The requests of a stream, one behind the other; whether a connection persists does not end it. */
export function parseRequests(stream: string, limits: ReferenceLimits): ReferenceOutcome {
  return parse(stream, {
    nextHead: (octets) => requestHead(octets, limits),
    isOver: () => false,
    skipsEmptyLines: true,
    faultsAs: null,
  });
}

/** The responses to requests of these methods; a 1xx answers none of them. What is behind the last one is not read. */
export function parseResponses(stream: string, methods: readonly string[], limits: ReferenceLimits): ReferenceOutcome {
  let answered = 0;
  return parse(stream, {
    nextHead: (octets) => {
      const head = responseHead(octets, limits, methods[answered] ?? 'GET');
      if (head.start.kind === 'response' && head.start.status >= 200) answered += 1;
      return head;
    },
    isOver: () => answered >= methods.length,
    skipsEmptyLines: false,
    faultsAs: 502,
  });
}

/** The content of a chunked body that is all there, or what came of one that is not. */
export function parseChunked(stream: string): Content & { readonly end: StreamEnd } {
  const content: Content = { body: '', trailers: [] };
  try {
    const octets = new Octets(stream);
    chunkedBody(octets, content);
    return {
      ...content,
      end: octets.isAtEnd ? { kind: 'complete' } : { kind: 'fault', status: 400, why: 'more came' },
    };
  } catch (error) {
    if (error instanceof Unfinished) return { ...content, end: { kind: 'unfinished' } };
    if (!(error instanceof Refused)) throw error;
    return { ...content, end: { kind: 'fault', status: error.status, why: error.message } };
  }
}
