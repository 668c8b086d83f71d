import { expect, test } from 'vitest';
import { AuditLog, MAX_AUDIT_ENTRIES } from '../../../scheduler/policy/audit-log.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { TroubledStore } from '../support/troubled-store.ts';

async function open(store: TroubledStore) {
  let at = 0;
  const warnings: string[] = [];
  const log = await AuditLog.open({ store, now: () => ++at, logger: { warn: (_f, text) => void warnings.push(text) } });
  const record = (what: string) => log.record({ who: 'me', what, target: null, from: null, to: null, status: 204 });
  return { log, record, warnings };
}

test('what is recorded is known at once, the newest first, and after a restart', async () => {
  const store = new TroubledStore();
  const { log, record } = await open(store);
  record('PUT /a');
  record('PUT /b');
  expect(log.newest().map(({ seq, what }) => [seq, what])).toEqual([
    [2, 'PUT /b'],
    [1, 'PUT /a'],
  ]);
  await log.close();
  const again = await open(store);
  expect(again.log.newest()).toEqual(log.newest());
  again.record('PUT /c');
  expect(again.log.newest(1)[0]).toMatchObject({ seq: 3, what: 'PUT /c' });
  await again.log.close();
});

test('it is a ring of chunks that fit the store', async () => {
  const store = new TroubledStore();
  const { log, record } = await open(store);
  for (let n = 1; n <= 2_345; n += 1) {
    record(`PUT /${n} ${'x'.repeat(500)}`);
    if (n % 10 === 0) await eventually('the entry is written', () => log.newest(1)[0]?.seq === n);
  }
  await log.close();
  const { log: again } = await open(store);
  expect(again.newest()).toHaveLength(MAX_AUDIT_ENTRIES);
  expect(again.newest()[0]).toMatchObject({ seq: 2_345 });
  expect(again.newest().at(-1)).toMatchObject({ seq: 1_346 });
  expect(store.values.size).toBeLessThanOrEqual(11);
  for (const { value } of store.values.values()) expect(JSON.stringify(value).length).toBeLessThan(100_000);
});

test('entries wait while the store does not answer, and are written once', async () => {
  const store = new TroubledStore();
  const { log, record, warnings } = await open(store);
  record('PUT /a');
  await eventually('the first is written', () => store.writes === 1);
  store.trouble = 'answer-lost';
  record('PUT /b');
  await eventually('the trouble is told', () => warnings.length > 0);
  record('PUT /c');
  store.trouble = 'none';
  await eventually('all are written', () => JSON.stringify(store.values.get('audit/0')?.value).includes('PUT /c'));
  await log.close();
  expect((await open(store)).log.newest().map(({ what }) => what)).toEqual(['PUT /c', 'PUT /b', 'PUT /a']);
});
