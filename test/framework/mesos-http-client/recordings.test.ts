import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeOperatorEvent } from '../../../framework/mesos-http-client/operator.ts';
import { decodeEvent } from '../../../framework/mesos-http-client/subscription.ts';

const recordings = resolve(import.meta.dirname, '../../../../shared/recordings');

describe.runIf(existsSync(recordings))('events that a real master wrote', () => {
  test('are all read, and none is taken for damage', () => {
    const kinds = new Map<string, number>();
    for (const entry of readdirSync(recordings, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.events.jsonl')) continue;
      const request = readFileSync(join(recordings, entry.replace('.events.jsonl', '.request')), 'utf8');
      // An executor's stream is another API, spoken by agents.
      if (request.startsWith('POST /api/v1/executor') || request.includes('/slave(1)/')) continue;
      const decode = request.startsWith('POST /api/v1 ') ? decodeOperatorEvent : decodeEvent;
      for (const line of readFileSync(join(recordings, entry), 'utf8').trim().split('\n')) {
        const { event } = JSON.parse(line) as { event: unknown };
        const { kind } = decode(event);
        if (kind === 'bad') throw new Error(`${entry}: ${line.slice(0, 300)}`);
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
    }
    expect(kinds.get('event')).toBeGreaterThan(300);
  });
});

test.skipIf(existsSync(recordings))('events that a real master wrote: not run: no ../shared', () => {});

test('an unknown type is let by, a known one that is not as it should be is bad', () => {
  expect(decodeEvent({ type: 'SHINY_NEW_THING', shiny: 1 }).kind).toBe('unknown');
  expect(decodeEvent({ type: 'RESCIND' }).kind).toBe('bad');
  expect(decodeEvent('text').kind).toBe('bad');
  expect(decodeOperatorEvent({ type: 'TASK_ADDED', task_added: {} }).kind).toBe('unknown');
});
