/** Bodies as they are read and passed on: chunks, lengths, and bodies that end with their connection. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyReader } from '../../../agent-proxy/http1/body-reader.ts';
import type { BodyForm } from '../../../agent-proxy/http1/body-sink.ts';
import { FAULT } from '../../../agent-proxy/http1/faults.ts';
import type { Framing } from '../../../agent-proxy/http1/request-head.ts';
import { parseChunked } from './reference-parser.ts';
import { cutAt, octetsOf } from './streams.ts';

interface Passed {
  readonly text: string;
  readonly ended: boolean;
  /** The fault, or how much of the last piece belongs to the body. */
  readonly result: number;
}

function read(pieces: readonly Buffer[], framing: Framing = 'chunked', form: BodyForm = 'framed', length = 0): Passed {
  let text = '';
  const body = new BodyReader(framing, length, form, {
    bytes: (bytes, from, to) => {
      text += bytes.toString('latin1', from, to);
    },
    text: (more) => {
      text += more;
    },
  });
  let result = 0;
  for (const piece of pieces) {
    result = body.read(piece, 0, piece.length);
    piece.fill(0x58);
    if (result < 0 || body.ended) break;
  }
  return { text, ended: body.ended, result };
}

function chunked(text: string, form: BodyForm = 'framed'): Passed {
  return read([Buffer.from(text, 'latin1')], 'chunked', form);
}

describe('a chunked body', () => {
  it('goes on as it came', () => {
    const text = '5\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n';
    expect(chunked(text)).toEqual({ text, ended: true, result: text.length });
  });

  it('goes on without extensions, leading zeros and capitals', () => {
    expect(chunked('5;a=b\r\nhello\r\n000A ; "c"\r\n0123456789\r\n0;last\r\n\r\n').text).toBe(
      '5\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n',
    );
  });

  it('is its content alone where that is asked for', () => {
    expect(chunked('5\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n', 'content').text).toBe('hello!');
  });

  it('ends where it ends: what follows is not its own', () => {
    const text = '0\r\n\r\nGET / HTTP/1.1\r\n';
    expect(chunked(text)).toEqual({ text: '0\r\n\r\n', ended: true, result: 5 });
  });

  it('is passed on whole chunk by whole chunk, the line end of each with it', () => {
    expect(chunked('5\r\nhello\r\n').text).toBe('5\r\nhello\r\n');
    expect(chunked('5\r\nhel').text).toBe('5\r\nhel');
    expect(chunked('5\r\nhello\r\n1').text).toBe('5\r\nhello\r\n');
  });

  it('keeps its trailers', () => {
    expect(chunked('0\r\nX-Sum: 1\r\nY: 2\r\n\r\n').text).toBe('0\r\nX-Sum: 1\r\nY: 2\r\n\r\n');
  });

  it.each([
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Expect',
    'Via',
    'l5d-dtab',
    'l5d-ctx-deadline',
  ])('loses a trailer %s', (name) => {
    expect(chunked(`0\r\nA: 1\r\n${name}: 5\r\nB: 2\r\n\r\n`).text).toBe('0\r\nA: 1\r\nB: 2\r\n\r\n');
  });

  it('is never passed on as complete when it is not', () => {
    for (const text of ['0\r\nA b\r\n\r\n', '0\r\n\n', '5\r\nhelloX', '5\r\nhello\r\n0\r\nA: \0\r\n\r\n']) {
      const { text: passed, ended, result } = chunked(text);
      expect(result).toBeLessThan(0);
      expect(ended).toBe(false);
      expect(parseChunked(passed).end.kind).toBe('unfinished');
    }
  });

  it.each([
    ['g\r\n', FAULT.chunkSize],
    ['\r\n', FAULT.chunkSize],
    ['00000000000001\r\n', FAULT.chunkSize],
    ['5 \r\n', FAULT.chunkSize],
    ['5\rx', FAULT.chunkSize],
    ['5;\0', FAULT.chunkExtension],
    [`5;${'x'.repeat(256)}`, FAULT.chunkExtension],
    [`5${' '.repeat(257)}`, FAULT.chunkExtension],
    ['1\r\nab', FAULT.chunkEnd],
    ['1\r\na\n', FAULT.chunkEnd],
    ['1\r\na\r0', FAULT.chunkEnd],
    ['0\r\nA b: c\r\n\r\n', FAULT.trailer],
    [`0\r\nA: ${'x'.repeat(9_000)}`, FAULT.trailer],
  ])('%j is refused', (text, fault) => {
    expect(chunked(text).result).toBe(-fault);
    expect(read(cutAt(text, [1, 2, 3, 100, 200, 5_000])).result).toBe(-fault);
  });

  it('may have a chunk of the largest size that is counted exactly', () => {
    expect(chunked('fffffffffffff\r\nabc')).toEqual({ text: 'fffffffffffff\r\nabc', ended: false, result: 18 });
  });

  it('gives the same whatever the pieces it comes in', () => {
    const piece = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(400)), (pieces, cuts) => {
        const stream = `${pieces.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')}0\r\nT: 1\r\n\r\n`;
        expect(read(cutAt(stream, cuts)).text).toBe(stream);
        expect(read(octetsOf(stream)).text).toBe(stream);
        expect(read(octetsOf(stream), 'chunked', 'content').text).toBe(pieces.join(''));
      }),
    );
  });
});

describe('a body of a length', () => {
  it('ends with its last byte', () => {
    const pieces = [Buffer.from('hel'), Buffer.from('loGET')];
    expect(read(pieces, 'length', 'framed', 5)).toEqual({ text: 'hello', ended: true, result: 2 });
  });

  it('has ended before who takes its last piece is asked', () => {
    let wasEnded = false;
    const body: BodyReader = new BodyReader('length', 2, 'framed', {
      bytes: () => {
        wasEnded = body.ended;
      },
      text: () => undefined,
    });
    body.read(Buffer.from('ab'), 0, 2);
    expect(wasEnded).toBe(true);
  });
});

describe('a body without a length', () => {
  it('never ends by itself', () => {
    expect(read([Buffer.from('a'), Buffer.from('b')], 'close')).toEqual({ text: 'ab', ended: false, result: 1 });
  });
});
