import { expect, test } from 'vitest';
import { isForeign, mayUse } from '../../../agent-proxy/admin/authorization.ts';

test('on loopback anybody may, elsewhere who has the key of the cluster or the token', () => {
  const guard = { listenIp: '10.0.0.1', clusterKey: 'k', token: 't' };
  expect(mayUse({ ...guard, listenIp: '127.0.1.7' }, undefined).granted).toBe(true);
  expect(mayUse({ ...guard, listenIp: '::1' }, undefined).granted).toBe(true);
  expect(mayUse(guard, 'Bearer k').granted).toBe(true);
  expect(mayUse(guard, 'Bearer t').granted).toBe(true);
  for (const given of ['Bearer x', 'Bearer ', 'k', undefined]) {
    expect(mayUse(guard, given)).toMatchObject({ granted: false, status: 401 });
  }
});

test('where there is nothing to show, nobody may', () => {
  const guard = { listenIp: '0.0.0.0', clusterKey: null, token: null };
  for (const given of ['Bearer k', 'Bearer null', undefined]) {
    expect(mayUse(guard, given)).toMatchObject({ granted: false, status: 403 });
  }
});

test('a request is foreign when a browser names another origin than this host', () => {
  expect(isForeign(undefined, 'a:1')).toBe(false);
  expect(isForeign('http://a:1', 'A:1')).toBe(false);
  expect(isForeign('http://b:1', 'a:1')).toBe(true);
  expect(isForeign('null', 'a:1')).toBe(true);
  expect(isForeign('http://a:1', undefined)).toBe(true);
});
