/** What the texts of ERROR events mean. */
import { expect, test } from 'vitest';
import { frameworkErrorOf } from '../../../framework/mesos-http-client/framework-error.ts';

test.each([
  ['Framework failed over', 'failed-over', /stop one of the two/],
  ['Framework has been removed', 'removed', /empty the state store/],
  ['Not authorized to register framework  with roles { db }', 'unauthorized', /register_frameworks/],
  ["Changing framework's principal is not allowed.", 'invalid', /go back to the earlier one/],
  ["'FrameworkInfo.roles' contains invalid role: Role '/a' cannot start with a slash", 'invalid', /settings/],
  ["'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable", 'invalid', /settings/],
  ["Framework roles { db } are not present in the master's --roles", 'invalid', /--roles/],
  ["User 'root' is not allowed to run frameworks without --root_submissions set", 'invalid', /another user/],
  ['Something new', 'other', /log/],
])('%j is %s', (message, kind, advice) => {
  const error = frameworkErrorOf(message);
  expect(error.kind).toBe(kind);
  expect(error.advice).toMatch(advice);
});
