import { expect, it } from 'vitest';
import { advertisedUrl, shownMaster } from '../../scheduler/advertise.ts';

const at = (url: string) => ({ kind: 'urls' as const, urls: [url] as const });

it('a listener on one address is reached there', async () => {
  expect(await advertisedUrl('127.0.36.7', 4180, at('http://127.0.0.1:5050'))).toBe('http://127.0.36.7:4180');
  expect(await advertisedUrl('::1', 4180, at('http://127.0.0.1:5050'))).toBe('http://[::1]:4180');
});

it('a listener on every address is reached under the one that faces the master', async () => {
  expect(await advertisedUrl('0.0.0.0', 4180, at('http://127.0.0.1:5050'))).toBe('http://127.0.0.1:4180');
});

it('a listener on every address is reached under the one that faces ZooKeeper, where only that knows the master', async () => {
  const ensemble = { servers: [{ host: '127.0.0.1', port: 2181 }], auth: null, path: '/mesos' };
  expect(await advertisedUrl('0.0.0.0', 4180, { kind: 'zookeeper', ensemble })).toBe('http://127.0.0.1:4180');
});

it('without a way to the master the person is asked to say it', async () => {
  await expect(advertisedUrl('0.0.0.0', 4180, at('http://no-such-host.invalid:5050'))).rejects.toThrow(
    '--advertise URL',
  );
});

it('logs name masters without a password', () => {
  const servers = [
    { host: '10.0.0.1', port: 2181 },
    { host: 'fd00::1', port: 2182 },
  ];
  expect(shownMaster({ kind: 'zookeeper', ensemble: { servers, auth: 'u:secret', path: '/mesos' } })).toBe(
    'zk://10.0.0.1:2181,[fd00::1]:2182/mesos',
  );
  expect(shownMaster(at('http://a:5050'))).toBe('http://a:5050');
});
