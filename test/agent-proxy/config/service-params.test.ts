import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../agent-proxy/config/load.ts';
import { ServiceLayers } from '../../../agent-proxy/config/service-params.ts';
import { readPath } from '../../../agent-proxy/routing/path.ts';

function paramsOf(service: unknown, name: string, nodemesh: unknown = {}) {
  const [router] = checkConfig({ routers: [{ protocol: 'http', service, nodemesh }] }, 'test').config.routers;
  if (router === undefined) throw new Error('no router');
  return new ServiceLayers(router).paramsFor(readPath(name));
}

describe('the parameters of a service', () => {
  it('have a total time where nothing is written', () => {
    expect(paramsOf({}, '/svc/web')).toEqual({
      classifier: 'nonRetryable5XX',
      retries: {
        maxRetries: 2,
        budget: { minRetriesPerSec: 10, percentCanRetry: 0.2, ttlSecs: 10 },
        backoff: { kind: 'jittered', minMs: 25, maxMs: 1000 },
      },
      totalTimeoutMs: 30_000,
    });
  });

  it('are those of linkerd with linkerdCompat', () => {
    expect(paramsOf({}, '/svc/web', { linkerdCompat: true })).toMatchObject({
      retries: { maxRetries: null, backoff: { kind: 'constant', ms: 0 } },
      totalTimeoutMs: null,
    });
  });

  it('come from all layers that match, the later the stronger; budget and backoff each for itself', () => {
    const service = {
      kind: 'io.l5d.static',
      configs: [
        { prefix: '/svc', totalTimeoutMs: 500, retries: { budget: { percentCanRetry: 0.5 } } },
        { prefix: '/svc/slow', totalTimeoutMs: 1000, retries: { backoff: { kind: 'constant', ms: 7 } } },
      ],
    };
    expect(paramsOf(service, '/svc/quick').totalTimeoutMs).toBe(500);
    expect(paramsOf(service, '/svc/slow/part')).toMatchObject({
      totalTimeoutMs: 1000,
      retries: { budget: { percentCanRetry: 0.5, ttlSecs: 10 }, backoff: { kind: 'constant', ms: 7 } },
    });
    expect(paramsOf(service, '/other').totalTimeoutMs).toBe(30_000);
  });
});
