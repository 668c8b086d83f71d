/** What goes out for what comes in. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentLink, type LinkMode } from '../../../local-cluster/control-relay/modes.ts';
import { isDelta, RecordCutter } from '../../../local-cluster/control-relay/records.ts';

/** `d1` is a delta, anything else is not. */
function through(mode: LinkMode, records: string[]): { out: string; hit: number } {
  const link = new AgentLink();
  link.mode = mode;
  const handing = link.handing((record) => record.toString().startsWith('d'));
  const out = records.flatMap((record) => handing(Buffer.from(record)).map(String)).join(' ');
  return { out, hit: link.hit };
}

const STREAM = ['hello', 'd1', 'd2', 'beat', 'd3', 'beat', 'd4', 'd5', 'd6', 'd7'];

test.each<[LinkMode, string, number]>([
  ['off', 'hello d1 d2 beat d3 beat d4 d5 d6 d7', 0],
  ['blackhole', 'hello d1 d2 beat d3 beat d4 d5 d6 d7', 0],
  ['drop', 'hello d1 d2 beat beat d4 d5 d7', 2],
  ['duplicate', 'hello d1 d2 beat d3 d3 beat d4 d5 d6 d6 d7', 2],
  ['reorder', 'hello d1 d2 beat beat d4 d3 d5 d7 d6', 2],
])('%s', (mode, out, hit) => {
  expect(through(mode, STREAM)).toEqual({ out, hit });
});

test('every third is counted over the streams of an agent', () => {
  const link = new AgentLink();
  link.mode = 'drop';
  const counts = [1, 2, 3].map(() => link.handing(() => true)(Buffer.from('x')).length);
  expect(counts).toEqual([1, 1, 0]);
});

test('records are handed on as they are, whatever the chunks were', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), fc.array(fc.nat(9)), (contents, sizes) => {
      const records = contents.map((content) => Buffer.concat([Buffer.from(`${content.length}\n`), content]));
      const bytes = Buffer.concat(records);
      const cutter = new RecordCutter();
      const cut: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = 1 + (sizes[turn % Math.max(1, sizes.length)] ?? 3);
        cut.push(...cutter.push(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(cut.map((record) => record.toString('hex'))).toEqual(records.map((record) => record.toString('hex')));
    }),
  );
  expect(() => new RecordCutter().push(Buffer.from('HTTP/1.1 200 OK'))).toThrow('not one of records');
  expect(isDelta(Buffer.from('17\n{"type":"delta","epoch":1'))).toBe(true);
  expect(isDelta(Buffer.from('17\n{"type":"heartbeat"'))).toBe(false);
});
