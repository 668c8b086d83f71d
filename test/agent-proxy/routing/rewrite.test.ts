import { expect, it } from 'vitest';
import { readPath } from '../../../agent-proxy/routing/path.ts';
import { Rewrite } from '../../../agent-proxy/routing/rewrite.ts';

it('a path that matches becomes the name, with the rest behind it', () => {
  const rewrite = new Rewrite('/{ns}/svc-{v}', '/#/fs/{v}/{ns}');
  const value = { kind: 'path', path: ['#', 'fs', 'web', 'prod', 'a', 'b'] };
  expect(rewrite.lookup(readPath('/prod/svc-web/a/b'))).toEqual({ kind: 'leaf', value });
});

it('a path that does not match is Neg', () => {
  expect(new Rewrite('/{ns}/svc-{v}', '/{v}').lookup(readPath('/prod/web'))).toEqual({ kind: 'neg' });
});

it('a name with a variable that the pattern does not capture is refused', () => {
  expect(() => new Rewrite('/{a}', '/{b}')).toThrow('the name /{b} uses {b}, which the pattern /{a} does not capture');
});
