import { expect, test } from 'vitest';
import { maskSecrets } from '../../../agent-proxy/admin/mask.ts';

test.each([
  'password',
  'clusterKey',
  'peer_key',
  'private_key',
  'privateKey',
  'token',
  'adminToken',
  'api-key',
  'Authorization',
  'credentials',
  'secret',
  'key',
  'passphrase',
])('a key named %s is masked at any depth', (key) => {
  expect(maskSecrets({ a: [{ [key]: 'hidden' }], [key]: { deep: 'hidden' } })).toEqual({
    a: [{ [key]: '***' }],
    [key]: '***',
  });
});

test('what only sounds like a secret is shown', () => {
  const shown = {
    kind: 'io.l5d.header.token',
    tls: { clientAuth: { certPath: '/c.pem', keyPath: '/k.pem' }, trustCerts: ['/ca.pem'] },
    monkey: 1,
    authority: 'web',
    uri: 'http://host:1/a@b?c=//d',
    passwordFile: '/run/secrets/p',
  };
  expect(maskSecrets(shown)).toEqual(shown);
});

test('a null says that there is no secret, and stays', () => {
  expect(maskSecrets({ clusterKey: null, n: 1, b: false, u: undefined })).toEqual({
    clusterKey: null,
    n: 1,
    b: false,
    u: undefined,
  });
});

test('a password in a URL is masked wherever it stands', () => {
  expect(maskSecrets(['see http://joe:pw@host:1/x and zk://u:p@a/b'])).toEqual([
    'see http://***@host:1/x and zk://***@a/b',
  ]);
});
