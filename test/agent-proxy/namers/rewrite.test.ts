import { expect, it } from 'vitest';
import { RewriteNamer } from '../../../agent-proxy/namers/rewrite.ts';

const namer = new RewriteNamer(['apiToSrv'], '/{service}/api', '/srv/{service}');

it('a path that matches is rewritten, with the rest behind it', () => {
  const path = ['srv', 'web', 'v1'];
  const value = { kind: 'leaf', value: { kind: 'path', path } };
  expect(namer.lookup(['web', 'api', 'v1']).state).toEqual({ kind: 'ok', value });
});

it('a path that does not match is Neg', () => {
  expect(namer.lookup(['web', 'other']).state).toEqual({ kind: 'ok', value: { kind: 'neg' } });
});
