/** What a status code and its text mean. Texts as a real master writes them. */
import { expect, test } from 'vitest';
import { outcomeOf } from '../../../framework/mesos-http-client/calls.ts';
import { kindOfStatus } from '../../../framework/mesos-http-client/errors.ts';

const STREAM =
  "The stream ID 'x' included in this request didn't match the stream ID currently associated with framework";

test.each([
  [200, '', 'accepted'],
  [202, '', 'accepted'],
  [307, '', 'resubscribe'],
  [400, 'Framework cannot be found', 'resubscribe'],
  [400, STREAM, 'resubscribe'],
  [400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header", 'resubscribe'],
  [400, 'Failed to validate scheduler::Call: Not a valid UUID', 'refused'],
  [403, 'Framework is not subscribed', 'resubscribe'],
  [403, 'Not authorized to update framework', 'refused'],
  [404, '', 'resubscribe'],
  [405, '', 'refused'],
  [406, '', 'refused'],
  [409, 'Framework was removed while being updated', 'resubscribe'],
  [415, "Expecting 'Content-Type' of application/json or application/x-protobuf", 'refused'],
  [500, '', 'refused'],
  [501, '', 'refused'],
  [503, 'Master has not finished recovery', 'resubscribe'],
])('a call that is answered %i %s is %s', (status, text, outcome) => {
  expect(outcomeOf(status, text).outcome).toBe(outcome);
});

test.each([
  [307, 'no-leader'],
  [400, 'refused'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'no-leader'],
  [406, 'refused'],
  [500, 'failed'],
  [501, 'refused'],
  [502, 'failed'],
  [503, 'no-leader'],
])('a request outside a subscription that is answered %i is %s', (status, kind) => {
  expect(kindOfStatus(status)).toBe(kind);
});
