import { expect, it } from 'vitest';
import { isLinkLocal, normalizeInetHost } from '../../../agent-proxy/routing/inet-address.ts';

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['127.1', '127.0.0.1'],
  ['10.1.2', '10.1.0.2'],
  ['10.258', '10.0.1.2'],
  ['2130706433', '127.0.0.1'],
  ['0x7f.1', '127.0.0.1'],
  ['0177.0.0.01', '127.0.0.1'],
  ['256.1.1.1', '256.1.1.1'],
  ['1.2.3.256', '1.2.3.256'],
  ['1.2.3.4.5', '1.2.3.4.5'],
  ['4294967296', '4294967296'],
  ['09.1', '09.1'],
  ['127.1.', '127.1.'],
  ['example.com', 'example.com'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['', 'localhost'],
])('the host %j is resolved as %j', (host, normal) => {
  expect(normalizeInetHost(host)).toBe(normal);
});

it('names and ordinary addresses are not link-local', () => {
  for (const address of ['10.0.0.1', '169.253.0.1', '::1', 'fec0::1', 'fe80.example.com', '']) {
    expect(isLinkLocal(address), address).toBe(false);
  }
  expect(isLinkLocal('fe80::1%eth0')).toBe(true);
});
