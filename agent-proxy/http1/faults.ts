/**
 * What can be wrong with a message, as small numbers that a parser returns without allocating, and what they mean for
 * people: the status for a request (a response with the same fault is answered with 502) and a sentence.
 */

export const FAULT = {
  method: 1,
  target: 2,
  version: 3,
  statusLine: 4,
  lineEnd: 5,
  fieldName: 6,
  spaceBeforeColon: 7,
  fieldValue: 8,
  fold: 9,
  headTooLong: 10,
  lineTooLong: 11,
  tooManyFields: 12,
  noHost: 13,
  twoHosts: 14,
  badHost: 15,
  contentLength: 16,
  lengthsDiffer: 17,
  lengthAndChunked: 18,
  codedInHttp10: 19,
  transferCoding: 20,
  unknownCoding: 21,
  chunkSize: 22,
  chunkEnd: 23,
  chunkExtension: 24,
  trailer: 25,
  expectation: 26,
  slowHead: 27,
  slowBody: 28,
  connectWithBody: 29,
} as const;

export type Fault = (typeof FAULT)[keyof typeof FAULT];

export interface FaultRow {
  /** The answer to a request. */
  readonly status: number;
  readonly sentence: string;
  /** Which of the coded errors it is; `bad-request` where it is not said. */
  readonly code?: 'not-supported';
}

export const FAULTS: Readonly<Record<Fault, FaultRow>> = {
  [FAULT.method]: { status: 400, sentence: 'its method is not a token' },
  [FAULT.target]: {
    status: 400,
    sentence: 'its target is neither a path nor an http URL (of a CONNECT: no host with a port)',
  },
  [FAULT.version]: { status: 505, sentence: 'its version is neither HTTP/1.0 nor HTTP/1.1' },
  [FAULT.statusLine]: { status: 400, sentence: 'its status line is not of the form HTTP/1.1 200 OK' },
  [FAULT.lineEnd]: { status: 400, sentence: 'a line of its head does not end with CR LF' },
  [FAULT.fieldName]: { status: 400, sentence: 'the name of a header is not a token' },
  [FAULT.spaceBeforeColon]: { status: 400, sentence: 'there is a space between a header and its colon' },
  [FAULT.fieldValue]: { status: 400, sentence: 'the value of a header contains a control character' },
  [FAULT.fold]: { status: 400, sentence: 'a header is folded over two lines' },
  [FAULT.headTooLong]: { status: 431, sentence: 'its head is longer than this router allows' },
  [FAULT.lineTooLong]: { status: 414, sentence: 'its first line is longer than this router allows' },
  [FAULT.tooManyFields]: { status: 431, sentence: 'it has more headers than this router allows' },
  [FAULT.noHost]: { status: 400, sentence: 'it has no Host header' },
  [FAULT.twoHosts]: { status: 400, sentence: 'it has more than one Host header' },
  [FAULT.badHost]: { status: 400, sentence: 'its Host is not a host name' },
  [FAULT.contentLength]: { status: 400, sentence: 'its Content-Length is not a length' },
  [FAULT.lengthsDiffer]: { status: 400, sentence: 'its Content-Length values differ' },
  [FAULT.lengthAndChunked]: { status: 400, sentence: 'it has both Content-Length and Transfer-Encoding' },
  [FAULT.codedInHttp10]: { status: 400, sentence: 'HTTP/1.0 has no Transfer-Encoding' },
  [FAULT.transferCoding]: { status: 400, sentence: 'its Transfer-Encoding does not end with one chunked' },
  [FAULT.unknownCoding]: {
    status: 501,
    sentence: 'its Transfer-Encoding is more than chunked',
    code: 'not-supported',
  },
  [FAULT.chunkSize]: { status: 400, sentence: 'the size of a chunk is not a hexadecimal number of at most 13 digits' },
  [FAULT.chunkEnd]: { status: 400, sentence: 'a chunk does not end with CR LF' },
  [FAULT.chunkExtension]: {
    status: 400,
    sentence: 'the extension of a chunk is too long or contains a control character',
  },
  [FAULT.trailer]: { status: 400, sentence: 'its trailer section is malformed or too long' },
  [FAULT.expectation]: { status: 417, sentence: 'it expects something other than 100-continue' },
  [FAULT.slowHead]: { status: 408, sentence: 'its head did not come in time' },
  [FAULT.slowBody]: { status: 408, sentence: 'its body did not go on in time' },
  [FAULT.connectWithBody]: { status: 400, sentence: 'CONNECT has no body' },
};

/** The coded error that a fault is. */
export function codeOfFault(fault: Fault): 'bad-request' | 'not-supported' {
  return FAULTS[fault].code ?? 'bad-request';
}

/** The result of a scan or a read as a fault, or null: faults are negative there. */
export function faultOfScan(result: number): Fault | null {
  return result < 0 ? (-result as Fault) : null;
}
