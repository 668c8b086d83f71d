import { expect, it } from 'vitest';
import { advertisedUrl } from '../../scheduler/advertise.ts';

it('a listener on one address is reached there', async () => {
  expect(await advertisedUrl('127.0.36.7', 4180, 'http://127.0.0.1:5050')).toBe('http://127.0.36.7:4180');
  expect(await advertisedUrl('::1', 4180, 'http://127.0.0.1:5050')).toBe('http://[::1]:4180');
});

it('a listener on every address is reached under the one that faces the master', async () => {
  expect(await advertisedUrl('0.0.0.0', 4180, 'http://127.0.0.1:5050')).toBe('http://127.0.0.1:4180');
});

it('without a way to the master the person is asked to say it', async () => {
  await expect(advertisedUrl('0.0.0.0', 4180, 'http://no-such-host.invalid:5050')).rejects.toThrow('--advertise URL');
});
