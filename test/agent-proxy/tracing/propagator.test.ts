import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_TRACE } from '../../../agent-proxy/exchange/context-lines.ts';
import { type RandomWord, TraceContext } from '../../../agent-proxy/tracing/context.ts';
import {
  B3_MULTI,
  B3_SINGLE,
  LINKERD,
  Propagator,
  type PropagatorKind,
  type SamplingRate,
  type TraceHeaders,
  W3C,
} from '../../../agent-proxy/tracing/propagator.ts';

const ALWAYS: SamplingRate = { sampleRate: 1, salt: 0 };
const NEVER: SamplingRate = { sampleRate: 0, salt: 0 };
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** 1, 2, 3, …: the first span is `0000000100000002`. */
function counting(): RandomWord {
  let word = 0;
  return () => {
    word += 1;
    return word;
  };
}

/** `l5d-ctx-trace` made with Buffer, apart from what is tested. */
function linkerdHeader(words: { span: bigint; parent: bigint; trace: bigint; flags?: bigint; upper?: bigint }): string {
  const bytes = Buffer.alloc(words.upper === undefined ? 32 : 40);
  [words.span, words.parent, words.trace, words.flags ?? 0n].forEach((word, index) => {
    bytes.writeBigUInt64BE(word, 8 * index);
  });
  if (words.upper !== undefined) bytes.writeBigUInt64BE(words.upper, 32);
  return bytes.toString('base64');
}

function pass(
  headers: Partial<TraceHeaders>,
  tracer: SamplingRate | null = null,
  kind: PropagatorKind = 'io.l5d.default',
) {
  const propagator = new Propagator(kind, counting(), tracer);
  const server = new TraceContext();
  const client = new TraceContext();
  const formats = propagator.receive({ ...NO_TRACE, ...headers }, server);
  const text = propagator.send(server, client, formats);
  const lines = new Map(
    text.split('\r\n').map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']),
  );
  return { server, client, formats, text, lines };
}

/** The words of a header that was written. */
function wordsOf(header: string): bigint[] {
  const bytes = Buffer.from(header, 'base64');
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64BE(8 * index));
}

describe("linkerd's own context", () => {
  it('a request without a context starts a trace, whose id is its request id', () => {
    const { text, formats } = pass({});
    const header = linkerdHeader({ span: 0x300000004n, parent: 0x100000002n, trace: 0x100000002n });
    expect(text).toBe(`l5d-ctx-trace: ${header}\r\nl5d-reqid: 0000000100000002\r\n`);
    expect(formats).toBe(LINKERD);
  });

  it('any context of 64 bits goes on with a new span below its own', () => {
    const word = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(word, word, word, fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), (span, parent, trace, flags) => {
        const { lines } = pass({ linkerd: linkerdHeader({ span, parent, trace, flags }) });
        expect(wordsOf(lines.get('l5d-ctx-trace') ?? '')).toEqual([0x100000002n, span, trace, flags]);
        expect(lines.get('l5d-reqid')).toBe(trace.toString(16).padStart(16, '0'));
      }),
    );
  });

  it('any context of 128 bits keeps both halves of its id', () => {
    const word = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(word, word, word, word, (span, parent, trace, upper) => {
        const { lines } = pass({ linkerd: linkerdHeader({ span, parent, trace, upper }) });
        expect(wordsOf(lines.get('l5d-ctx-trace') ?? '')).toEqual([0x100000002n, span, trace, 0n, upper]);
        const id = upper.toString(16).padStart(16, '0') + trace.toString(16).padStart(16, '0');
        expect(lines.get('l5d-reqid')).toBe(id);
      }),
    );
  });

  it.each(['', 'garbage', 'A'.repeat(43).replace(/A$/, '!'), 'A'.repeat(44), 'A'.repeat(60), `${'A'.repeat(43)}=`])(
    'a malformed one (%j) is as good as none',
    (linkerd) => {
      expect(pass({ linkerd }).lines.get('l5d-reqid')).toBe('0000000100000002');
    },
  );

  it('one attempt after the other has its own span below the same server span', () => {
    const propagator = new Propagator('io.l5d.default', counting(), null);
    const server = new TraceContext();
    const client = new TraceContext();
    const formats = propagator.receive(NO_TRACE, server);
    propagator.send(server, client, formats);
    const first = client.spanId;
    propagator.send(server, client, formats);
    expect(client.spanId).not.toBe(first);
    expect(client.parentId).toBe(server.spanId);
  });
});

describe('the sampling decision', () => {
  it.each([
    [null, null],
    ['yes', null],
    ['', null],
    ['0x1', null],
    ['-3', false],
    ['0', false],
    ['1', true],
    ['1.5', true],
  ])('without a tracer, l5d-sample %j means %j', (sample, sampled) => {
    expect(pass({ sample }).server.sampled).toBe(sampled);
  });

  it("is the caller's, whatever l5d-sample and the own rate say", () => {
    const no = linkerdHeader({ span: 1n, parent: 1n, trace: 1n, flags: 2n });
    expect(pass({ linkerd: no, sample: '1' }, ALWAYS).server.sampled).toBe(false);
    const yes = linkerdHeader({ span: 1n, parent: 1n, trace: 1n, flags: 6n });
    expect(pass({ linkerd: yes, sample: '0' }, NEVER).server.sampled).toBe(true);
    expect(pass({ traceparent: TRACEPARENT }, NEVER).server.sampled).toBe(true);
  });

  it("is l5d-sample's before the own rate's", () => {
    expect(pass({ sample: '0' }, ALWAYS).server).toMatchObject({ sampled: false, decidedByRate: false });
    expect(pass({}, ALWAYS).server).toMatchObject({ sampled: true, decidedByRate: true });
    expect(pass({}, NEVER).server.sampled).toBe(false);
  });

  it('may come in B3 without ids', () => {
    expect(pass({ b3Sampled: '0' }, ALWAYS).server.sampled).toBe(false);
    expect(pass({ b3: '1' }, NEVER).server.sampled).toBe(true);
  });

  it('is yes for a debug trace', () => {
    const debug = linkerdHeader({ span: 1n, parent: 1n, trace: 1n, flags: 1n });
    expect(pass({ linkerd: debug }, NEVER).server.sampled).toBe(true);
  });
});

describe('other formats', () => {
  it('traceparent gives the trace; without a tracer it passes untouched', () => {
    const { formats, lines } = pass({ traceparent: TRACEPARENT });
    expect(formats).toBe(LINKERD);
    expect(lines.get('l5d-reqid')).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    expect(lines.has('traceparent')).toBe(false);
  });

  it("with a tracer traceparent is written anew, with the attempt's span", () => {
    const { formats, lines, server, client } = pass({ traceparent: TRACEPARENT }, NEVER);
    expect(formats).toBe(LINKERD | W3C);
    expect(lines.get('traceparent')).toBe(`00-4bf92f3577b34da6a3ce929d0e0e4736-${client.spanId}-01`);
    expect(server.parentId).toBe('00f067aa0ba902b7');
  });

  it.each([
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7',
  ])('a malformed traceparent (%s) passes untouched', (traceparent) => {
    const { formats, lines } = pass({ traceparent }, ALWAYS);
    expect(formats).toBe(LINKERD);
    expect(lines.get('l5d-reqid')).toBe('0000000100000002');
  });

  it('a traceparent of a later version with more fields is understood', () => {
    expect(pass({ traceparent: `${TRACEPARENT.replace('00', 'cc')}-more` }).server.isWide).toBe(true);
  });

  it('a traceparent of another trace than l5d-ctx-trace passes untouched', () => {
    const linkerd = linkerdHeader({ span: 1n, parent: 1n, trace: 1n });
    expect(pass({ linkerd, traceparent: TRACEPARENT }, ALWAYS).formats).toBe(LINKERD);
  });

  it('B3 is written anew in the form that it came in', () => {
    const ids = { b3TraceId: '463ac35c9f6413ad', b3SpanId: 'a2fb4a1d1a96d312' };
    const many = pass({ ...ids, b3Sampled: '1' }, NEVER);
    expect(many.formats).toBe(LINKERD | B3_MULTI);
    expect(many.lines.get('x-b3-traceid')).toBe('463ac35c9f6413ad');
    expect(many.lines.get('x-b3-spanid')).toBe(many.client.spanId);
    expect(many.lines.get('x-b3-parentspanid')).toBe(many.server.spanId);
    expect(many.lines.get('x-b3-sampled')).toBe('1');
    const one = pass({ b3: '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d-05e3ac9a4f6e3b90' }, NEVER);
    expect(one.formats).toBe(LINKERD | B3_SINGLE);
    expect(one.lines.get('b3')).toBe(`80f198ee56343ba864fe8b2a57d3eff7-${one.client.spanId}-d-${one.server.spanId}`);
  });
});

describe('the propagator io.l5d.zipkin', () => {
  const zipkin = (headers: Partial<TraceHeaders>) => pass(headers, null, 'io.l5d.zipkin');

  it('writes B3 instead of l5d-ctx-trace, always', () => {
    const { lines, formats } = zipkin({});
    expect(formats).toBe(B3_MULTI);
    expect(Object.fromEntries(lines)).toEqual({
      'l5d-reqid': '0000000100000002',
      'x-b3-traceid': '0000000100000002',
      'x-b3-spanid': '0000000300000004',
      'x-b3-parentspanid': '0000000100000002',
      '': '',
    });
  });

  it('goes on with the trace of B3 before that of l5d-ctx-trace', () => {
    const linkerd = linkerdHeader({ span: 1n, parent: 1n, trace: 1n });
    const { lines } = zipkin({ linkerd, b3TraceId: '463ac35c9f6413ad', b3SpanId: 'a2fb4a1d1a96d312', b3Flags: '1' });
    expect(lines.get('x-b3-traceid')).toBe('463ac35c9f6413ad');
    expect(lines.get('x-b3-parentspanid')).toBe('a2fb4a1d1a96d312');
    expect(lines.get('x-b3-flags')).toBe('1');
    expect(lines.has('x-b3-sampled')).toBe(false);
  });

  it('answers the one header b3 with the one header b3', () => {
    expect(zipkin({ b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-1' }).formats).toBe(B3_SINGLE);
  });
});
