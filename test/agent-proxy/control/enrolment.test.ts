/** A proxy that was launched with a token: it enrols, is known by its key, and knows its scheduler. */
import { expect, test } from 'vitest';
import { announceProof, newEnrolment, sha256Of } from '../../../agent-proxy/control/enrolment.ts';
import { helloFrame, snapshotFrames, useFakeScheduler } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { send } from '../../fixtures/http.ts';
import { type RunningProxy, useProxy } from '../../fixtures/proxy.ts';

const OPENING = [helloFrame({ heartbeatMs: 60_000 }), ...snapshotFrames(1, 1, [])];
const enrolment = newEnrolment('the-token');
const hash = sha256Of(enrolment.key);

test('each key is another one, of 256 bits', () => {
  expect(Buffer.from(enrolment.key, 'base64url')).toHaveLength(32);
  expect(newEnrolment('the-token').key).not.toBe(enrolment.key);
});

test('it enrols before it subscribes, once, and shows its key from then on', async () => {
  const scheduler = await useFakeScheduler(OPENING);
  const proxy = await useProxy({ schedulers: [scheduler.url], enrolment });
  await eventually('it reports', () => scheduler.reports.at(-1)?.ready);
  const { agentId, taskId } = scheduler.reports[0] ?? {};
  expect(scheduler.enrolments).toEqual([{ agentId, taskId, token: 'the-token', keySha256: hash }]);
  scheduler.endStreams();
  await eventually('it subscribes again', () => scheduler.subscriptions.length === 2);
  expect(scheduler.enrolments).toHaveLength(1);
  expect(scheduler.authorizations).toEqual(Array(2).fill(`Bearer ${enrolment.key}`));
  const said = JSON.stringify([scheduler.reports, scheduler.subscriptions, proxy.lines]);
  for (const page of ['/config.json', '/admin/table', '/admin/metrics.json', '/server_info']) {
    expect((await send(`${proxy.admin}${page}`)).body).not.toContain(enrolment.key);
  }
  for (const secret of [enrolment.key, enrolment.token]) expect(said).not.toContain(secret);
});

test('one that the scheduler does not know any more enrols again, with the same key', async () => {
  const scheduler = await useFakeScheduler(OPENING);
  await useProxy({ schedulers: [scheduler.url], enrolment });
  await eventually('it reports', () => scheduler.reports.length > 0);
  scheduler.subscribeStatus = 401;
  scheduler.endStreams();
  await eventually('it enrols again', () => scheduler.enrolments.length > 1);
  scheduler.subscribeStatus = 200;
  await eventually('it is back', () => scheduler.streams.size === 1);
  expect(new Set(scheduler.enrolments.map(({ keySha256 }) => keySha256))).toEqual(new Set([hash]));
});

test('one that is refused shows its key to nobody, says why, and asks the next scheduler', async () => {
  const other = await useFakeScheduler(OPENING);
  const leader = await useFakeScheduler(OPENING);
  other.enrolStatus = 409;
  const proxy = await useProxy({ schedulers: ['http://127.0.0.1:1', other.url, leader.url], enrolment });
  await eventually('it is with the leader', () => leader.reports.length > 0);
  expect(other.subscriptions).toEqual([]);
  expect(proxy.lines.join('\n')).toContain('somebody has enrolled as this task with another key (status 409)');
});

async function announce(proxy: RunningProxy, schedulers: string[], authorization?: (body: string) => string) {
  const body = JSON.stringify({ epoch: 2, schedulers });
  const headers = authorization === undefined ? {} : { Authorization: authorization(body) };
  return (await send(`${proxy.admin}/control/v1/announce`, { method: 'POST', body, headers })).status;
}

test('it goes where its scheduler says, and where nobody else does, also on loopback', async () => {
  const before = await useFakeScheduler(OPENING);
  const after = await useFakeScheduler([helloFrame({ epoch: 2 }), ...snapshotFrames(2, 1, [])]);
  const proxy = await useProxy({ schedulers: [before.url], enrolment });
  await eventually('it is with the first', () => before.reports.length > 0);
  expect(await announce(proxy, [after.url])).toBe(401);
  expect(await announce(proxy, [after.url], () => `Bearer ${enrolment.key}`)).toBe(401);
  expect(await announce(proxy, [after.url], () => announceProof(hash, 'another body'))).toBe(401);
  // Who has greeted it knows its key, so the token proves nothing any more.
  expect(await announce(proxy, [after.url], (body) => announceProof(sha256Of('the-token'), body))).toBe(401);
  expect(after.subscriptions).toEqual([]);
  expect(await announce(proxy, [after.url], (body) => announceProof(hash, body))).toBe(204);
  await eventually('it is with the second', () => after.reports.length > 0);
});

test('before it has enrolled it believes who knows its token', async () => {
  const scheduler = await useFakeScheduler([helloFrame({ epoch: 2 }), ...snapshotFrames(2, 1, [])]);
  const proxy = await useProxy({ schedulers: ['http://127.0.0.1:1'], enrolment });
  expect(await announce(proxy, [scheduler.url], (body) => announceProof(sha256Of('x'), body))).toBe(401);
  expect(await announce(proxy, [scheduler.url], (body) => announceProof(sha256Of('the-token'), body))).toBe(204);
  await eventually('it has enrolled', () => scheduler.enrolments.length === 1);
});
