/** Frames and their contents. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameReader, JuteError, JuteReader, JuteWriter } from '../../../framework/zookeeper/jute.ts';

it('reads what it wrote', () => {
  const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(int, long, fc.uint8Array(), fc.string({ unit: 'grapheme' }), (number, big, bytes, text) => {
      const frame = new JuteWriter().int(number).long(big).bytes(Buffer.from(bytes)).string(text).bool(true).frame();
      expect(frame.readInt32BE(0)).toBe(frame.length - 4);
      const reader = new JuteReader(frame.subarray(4));
      expect(reader.int()).toBe(number);
      expect(reader.long()).toBe(big);
      expect(reader.bytes()).toEqual(Buffer.from(bytes));
      expect(reader.string()).toBe(text);
    }),
  );
});

it('finds frames wherever they were cut', () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(contents, fc.array(fc.nat({ max: 400 })), (bodies, cuts) => {
      const stream = Buffer.concat(bodies.map((body) => new JuteWriter().bytes(Buffer.from(body)).frame()));
      const reader = new FrameReader();
      const found: Buffer[] = [];
      let from = 0;
      for (const cut of [...cuts.sort((a, b) => a - b), stream.length]) {
        const to = Math.min(Math.max(cut, from), stream.length);
        // A copy: what comes from a socket is not one piece.
        found.push(...reader.push(Buffer.from(stream.subarray(from, to))));
        from = to;
      }
      expect(found.map((frame) => [...new JuteReader(frame).bytes()])).toEqual(bodies.map((body) => [...body]));
    }),
  );
});

it('takes null for empty, and lists', () => {
  const frame = new JuteWriter().int(-1).int(2).string('a').string('b').int(-1).frame();
  const reader = new JuteReader(frame.subarray(4));
  expect(reader.bytes()).toHaveLength(0);
  expect(reader.strings()).toEqual(['a', 'b']);
  expect(reader.strings()).toEqual([]);
});

it('refuses what cannot be', () => {
  expect(() => new JuteReader(Buffer.from([0, 0, 0, 9, 1])).bytes()).toThrow(JuteError);
  expect(() => new JuteReader(Buffer.from([0x7f, 0xff, 0xff, 0xff])).strings()).toThrow(JuteError);
  expect(() => new FrameReader().push(Buffer.from('HTTP/1.1 400'))).toThrow('a message of 1213486160 bytes');
  expect(() => new FrameReader().push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(JuteError);
});
