import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TraceContext } from '../../../agent-proxy/tracing/context.ts';
import { isSampledAt } from '../../../agent-proxy/tracing/sampler.ts';

function traceOf(id: bigint): TraceContext {
  const context = new TraceContext();
  context.trace2 = Number(BigInt.asIntN(32, id >> 32n));
  context.trace3 = Number(BigInt.asIntN(32, id));
  return context;
}

it('a rate of 0.002 takes 20 of 10,000 consecutive ids', () => {
  let sampled = 0;
  for (let id = 0; id < 10_000; id += 1) if (isSampledAt(0.002, traceOf(BigInt(id)))) sampled += 1;
  expect(sampled).toBe(20);
});

it('a rate of any number of ten-thousandths takes so many buckets, and none for a fault of rounding', () => {
  for (let rate = 0; rate < 10_000; rate += 1) {
    expect(isSampledAt(rate / 10_000, traceOf(BigInt(rate)))).toBe(false);
    if (rate > 0) expect(isSampledAt(rate / 10_000, traceOf(BigInt(rate - 1)))).toBe(true);
  }
});

it('is the rule abs(id xor salt) mod 10000 < rate * 10000 on 64-bit numbers', () => {
  const id = fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(id, fc.integer(), fc.integer({ min: 0, max: 10_000 }), (trace, salt, tenThousandths) => {
      const mixed = BigInt.asIntN(64, trace ^ BigInt(salt));
      const bucket = (mixed < 0n ? -mixed : mixed) % 10_000n;
      expect(isSampledAt(tenThousandths / 10_000, traceOf(trace), salt)).toBe(bucket < BigInt(tenThousandths));
    }),
    { numRuns: 2_000 },
  );
});
