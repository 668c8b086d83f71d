import { expect, it } from 'vitest';
import { subnetOf } from '../../../agent-proxy/routing/subnet.ts';

it.each([
  ['10.1.2.3', '10.1.2.250', 24, true],
  ['10.1.2.3', '10.1.3.3', 24, false],
  ['10.1.2.3', '10.1.3.3', 23, true],
  ['10.1.2.3', '10.1.4.3', 22, false],
  ['10.1.2.3', '200.1.2.3', 0, true],
  ['10.1.2.3', '10.1.2.3', 32, true],
  ['10.1.2.3', '10.1.2.2', 32, false],
  ['fd00::1', 'fd00:0:0:1::1', 48, true],
  ['fd00::1', 'fd00:0:0:1::1', 64, false],
  ['::ffff:10.1.2.3', '::ffff:10.1.2.9', 120, true],
  ['fe80::1%eth0', 'fe80::2%eth1', 64, true],
])('%s and %s share their first %d bits: %s', (a, b, bits, same) => {
  expect(subnetOf(a, bits) === subnetOf(b, bits)).toBe(same);
});

it('what is no address, or too short, is in no subnet', () => {
  expect(subnetOf('example.com', 24)).toBeNull();
  expect(subnetOf('10.0.0.1', 64)).toBeNull();
});
