import { expect, test } from 'vitest';
import { normalizeHost } from '../../../agent-proxy/routing/host-names.ts';

test.each([
  ['web', 'web'],
  ['WEB', 'web'],
  ['web.', 'web'],
  ['web:4140', 'web'],
  ['Web.Marathon.Mesos.:80', 'web.marathon.mesos'],
  ['web:', 'web'],
  ['[::1]:80', '[::1]'],
  ['[::1]', '[::1]'],
  ['.', '.'],
])('the host %s is normally written %s', (host, normal) => {
  expect(normalizeHost(host)).toBe(normal);
});
