import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordDecoder } from '../../../agent-proxy/control/record-decoder.ts';

function encode(text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from(`${body.length}\n`), body]);
}

test('records come out whole, whatever the chunks were', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 })), fc.array(fc.nat(20)), (texts, sizes) => {
      const bytes = Buffer.concat(texts.map(encode));
      const decoder = new RecordDecoder();
      const decoded: string[] = [];
      let at = 0;
      for (let turn = 0; at < bytes.length; turn += 1) {
        const size = 1 + (sizes[turn % Math.max(1, sizes.length)] ?? 3);
        for (const record of decoder.decode(bytes.subarray(at, at + size))) decoded.push(record.toString('utf8'));
        at += size;
      }
      expect(decoded).toEqual(texts);
    }),
  );
});

test.each([
  ['x', 'in the length of a record'],
  ['\n', 'without a length'],
  ['99999999', 'too many digits'],
  ['9999999\n', 'too large'],
])('a stream that begins with %j is not RecordIO', (text, why) => {
  expect(() => [...new RecordDecoder().decode(Buffer.from(text))]).toThrow(why);
});
