import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageBytes } from '../../../agent-proxy/telemetry/page-bytes.ts';

const rounded = (value: number) => String(Number.isInteger(value) ? value : Math.round(value * 1_000) / 1_000);

test('numbers stand as JavaScript shows them, rounded to three digits', () => {
  const page = new PageBytes();
  const values = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    fc.integer({ min: 0, max: 2_000_000 }).map((thousandths) => thousandths / 1_000),
    fc.constantFrom(0, -0, 0.0004, 0.0005, 0.9995, 0.9999, 999.9999, 1e15, 1e21, 1e-9, -0.2),
  );
  fc.assert(
    fc.property(values, (value) => {
      page.number(value);
      expect(page.take().toString()).toBe(rounded(value));
    }),
    { numRuns: 3_000 },
  );
});

test('pieces follow each other whatever their length, in any script', () => {
  const page = new PageBytes();
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.integer({ min: 1, max: 90_000 }).map((length) => 'é'.repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 6 }), (pieces) => {
      for (const [text, known] of pieces) {
        if (known) page.add(Buffer.from(text));
        else page.text(text);
        page.octet(0x0a);
      }
      const wanted = Buffer.from(pieces.map(([text]) => `${text}\n`).join(''));
      expect(page.length).toBe(wanted.length);
      expect(page.take().equals(wanted)).toBe(true);
    }),
  );
});
