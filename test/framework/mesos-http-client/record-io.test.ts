import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRecord, RecordIoDecoder, RecordIoError } from '../../../framework/mesos-http-client/record-io.ts';

const text = (records: Uint8Array[]): string[] => records.map((record) => new TextDecoder().decode(record));
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

const hex = (records: Uint8Array[]): string => records.map((record) => Buffer.from(record).toString('hex')).join();

function joined(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

describe('the decoder', () => {
  test('T1 finds the same records however the stream is cut', () => {
    const record = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), fc.array(fc.nat(60), { maxLength: 40 }), (records, cuts) => {
        const stream = joined(records.map((one) => encodeRecord(one)));
        const decoder = new RecordIoDecoder();
        const found: Uint8Array[] = [];
        let at = 0;
        for (const length of cuts) {
          found.push(...decoder.push(stream.slice(at, at + length)));
          at += length;
        }
        found.push(...decoder.push(stream.slice(at)));
        return decoder.atBoundary && hex(found) === hex(records);
      }),
    );
  });

  test('T1 T4 finds them when every single byte comes alone, and when the chunk’s memory is used again', () => {
    const stream = joined(['{"a":"€"}', 'x'.repeat(128)].map((one) => encodeRecord(one)));
    const decoder = new RecordIoDecoder();
    const shared = new Uint8Array(1);
    const found: string[] = [];
    for (const byte of stream) {
      shared[0] = byte;
      found.push(...text(decoder.push(shared)));
      shared[0] = 0;
    }
    expect(found).toEqual(['{"a":"€"}', 'x'.repeat(128)]);
  });

  test.each(['abc\n', '-5\n', '1e3\n', ' 12\n', '12 \n', '+1\n', '0x10\n', '1\r\n', `${'1'.repeat(25)}\n`])(
    'T9 is poisoned for good by the header %j',
    (header) => {
      const decoder = new RecordIoDecoder();
      expect(() => decoder.push(bytes(header))).toThrow(RecordIoError);
      expect(() => decoder.push(bytes('2\nok'))).toThrow(RecordIoError);
    },
  );

  test('T7 T8 skips empty records and bare line feeds, and counts the former', () => {
    const decoder = new RecordIoDecoder();
    expect(text(decoder.push(bytes('0\n\n\n2\nok0\n1\nx')))).toEqual(['ok', 'x']);
    expect(decoder.emptyRecords).toBe(2);
  });

  test('refuses a record above its limit before it is there', () => {
    const decoder = new RecordIoDecoder({ maxRecordBytes: 10 });
    expect(text(decoder.push(bytes('10\n0123456789')))).toEqual(['0123456789']);
    expect(() => decoder.push(bytes('11\n'))).toThrow(/longer than the limit/);
  });

  test('T3 reads a length that comes in two pieces', () => {
    const decoder = new RecordIoDecoder();
    expect(decoder.push(bytes('1'))).toEqual([]);
    expect(decoder.push(bytes('28\n'))).toEqual([]);
    expect(text(decoder.push(bytes('x'.repeat(128))))).toEqual(['x'.repeat(128)]);
  });

  test('T5 knows whether the stream ended in the middle of something', () => {
    const decoder = new RecordIoDecoder();
    decoder.push(bytes('2\nok1'));
    expect(decoder.atBoundary).toBe(false);
    decoder.push(bytes('\n'));
    expect(decoder.atBoundary).toBe(false);
    decoder.push(bytes('x'));
    expect(decoder.atBoundary).toBe(true);
  });

  test('T11 takes a record of 30 MB in chunks of 16 KB in linear time', () => {
    const record = new Uint8Array(30 * 1024 * 1024).fill(0x61);
    const stream = encodeRecord(record);
    const decoder = new RecordIoDecoder();
    const found: Uint8Array[] = [];
    const from = process.cpuUsage();
    for (let at = 0; at < stream.length; at += 16_384) found.push(...decoder.push(stream.subarray(at, at + 16_384)));
    expect(found.map((one) => one.length)).toEqual([record.length]);
    const { user, system } = process.cpuUsage(from);
    expect((user + system) / 1000).toBeLessThan(2_000);
  });
});
