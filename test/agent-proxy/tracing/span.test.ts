import { describe, expect, it } from 'vitest';
import { type Span, spansOf, timelineOf } from '../../../agent-proxy/tracing/span.ts';
import { spanLine, TraceLog } from '../../../agent-proxy/tracing/tracelog.ts';
import { Tracer } from '../../../agent-proxy/tracing/tracer.ts';
import { rootContext, TIME_ORIGIN, tracedRequest } from './traced-request.ts';

/** What happened, in the order of time; where two are at one time, the outer span is before and behind the inner one. */
function story(spans: readonly Span[]): string {
  const [server, ...clients] = spans.map(timelineOf);
  if (server === undefined) throw new Error('there is no span');
  const half = server.length / 2;
  const inner = clients.flat().map(({ value }) => value);
  return [
    ...server.slice(0, half).map(({ value }) => value),
    ...inner,
    ...server.slice(half).map(({ value }) => value),
  ].join(' ');
}

describe('the spans of a request', () => {
  it('tell of a retried call in the order of linkerd', () => {
    expect(story(spansOf(tracedRequest(), TIME_ORIGIN))).toBe(
      'wr sr cs ws wr l5d.retryable cr cs ws wr l5d.success cr ss ws',
    );
  });

  it('tell of a failure that is not retried', () => {
    const request = tracedRequest();
    const attempts = request.attempts.slice(0, 1).map((attempt) => ({ ...attempt, judgement: 'failure' as const }));
    expect(story(spansOf({ ...request, attempts }, TIME_ORIGIN))).toBe('wr sr cs ws wr l5d.failure cr ss ws');
  });

  it('hang together: each attempt is below the server', () => {
    const [server, first, second] = spansOf(tracedRequest(), TIME_ORIGIN);
    expect(first?.parentId).toBe(server?.id);
    expect(second?.parentId).toBe(server?.id);
    expect(new Set([server?.traceId, first?.traceId, second?.traceId]).size).toBe(1);
    expect(new Set([server?.id, first?.id, second?.id]).size).toBe(3);
  });

  it('are in microseconds since 1970, and never without duration', () => {
    const [server] = spansOf(tracedRequest(), TIME_ORIGIN);
    expect(server).toMatchObject({ startedAt: (TIME_ORIGIN + 100) * 1000, duration: 20_000 });
    const [instant] = spansOf(tracedRequest({ endedAt: 100 }), TIME_ORIGIN);
    expect(instant?.duration).toBe(1);
  });

  it('say who, what and how it ended, and nothing of the query', () => {
    const [server, first] = spansOf(tracedRequest({ reason: 'app-error', status: 500 }), TIME_ORIGIN);
    expect(server).toMatchObject({
      error: 'app-error',
      tags: { service: '/svc/web', client: '/#/io.l5d.marathon/web', retries: '1', 'http.path': '/cart' },
    });
    expect(first).toMatchObject({
      error: 'app-error',
      remote: { address: '127.0.0.1', port: 31_000 },
      tags: { instance: 'web.1', 'http.status_code': '503', reason: 'app-error' },
    });
    expect(JSON.stringify([server, first])).not.toContain('4111');
  });

  it('leave out what never happened', () => {
    const request = tracedRequest();
    const attempts = request.attempts.slice(0, 1).map((attempt) => ({ ...attempt, wroteAt: null, headAt: null }));
    expect(story(spansOf({ ...request, attempts }, TIME_ORIGIN))).toBe('wr sr cs l5d.retryable cr ss ws');
  });
});

describe('the tracer', () => {
  /** Spans that sinks of these rates take of a request. */
  function taken(rates: number[], request = tracedRequest()): number[] {
    const counts = rates.map(() => 0);
    const sinks = rates.map((sampleRate, index) => ({
      sampleRate,
      offer: () => {
        counts[index] = (counts[index] ?? 0) + 1;
      },
    }));
    new Tracer(sinks, 0, TIME_ORIGIN).record(request);
    return counts;
  }

  it('samples at the rate of the most eager sink', () => {
    const sinks = [0.1, 0.5].map((sampleRate) => ({ sampleRate, offer: () => undefined }));
    expect(new Tracer(sinks, 0, TIME_ORIGIN).sampleRate).toBe(0.5);
    expect(new Tracer([], 0, TIME_ORIGIN).sampleRate).toBe(0);
  });

  it('gives a trace that was asked for to all, and one of its own choice by rate', () => {
    expect(taken([0, 1])).toEqual([3, 3]);
    const context = rootContext();
    context.decidedByRate = true;
    expect(taken([0, 1], tracedRequest({ context }))).toEqual([0, 3]);
  });

  it('records nothing that is not sampled', () => {
    const context = rootContext();
    context.decide(false);
    expect(taken([1], tracedRequest({ context }))).toEqual([0]);
  });
});

it('io.l5d.tracelog writes a line for each span', () => {
  const lines: string[] = [];
  const request = tracedRequest();
  new Tracer([new TraceLog(1, (line) => lines.push(line))], 0, TIME_ORIGIN).record(request);
  expect(lines).toHaveLength(3);
  const { context } = request;
  expect(lines[0]).toBe(
    `trace ${context.wideTraceId} ${context.spanId}:- server 20.000ms wr@0.000 sr@0.000 ss@20.000 ws@20.000 ` +
      'router.label="outgoing" http.method="GET" http.path="/cart" http.host="web" http.status_code="200" ' +
      'service="/svc/web" client="/#/io.l5d.marathon/web" retries="1"',
  );
  expect(lines[1]).toContain('cs@0.000 ws@1.000 wr@4.000 l5d.retryable@4.000 cr@5.000');
});

it('a line of a span is one line, whatever the request holds', () => {
  const [server] = spansOf(tracedRequest({ target: '/a\r\nb' }), TIME_ORIGIN);
  if (server === undefined) throw new Error('there is no span');
  expect(spanLine(server)).not.toMatch(/[\r\n]/);
});
