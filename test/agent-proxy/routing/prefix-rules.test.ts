import { expect, test } from 'vitest';
import { parsePrefixRules, resolvePrefixes } from '../../../agent-proxy/routing/prefix-rules.ts';

function resolve(dtab: string, ...name: string[]): string {
  const resolved = resolvePrefixes(parsePrefixRules(dtab), name);
  return resolved.kind === 'bound' ? `${resolved.inet.address}:${resolved.inet.port}` : `none: ${resolved.reason}`;
}

test.each([
  ['/svc => /$/inet/127.0.0.1/8080', 'web', '127.0.0.1:8080'],
  ['/svc => /$/inet/127.0.0.1/1 ; /svc/web => /$/inet/127.0.0.1/2', 'web', '127.0.0.1:2'],
  ['/svc/web => /$/inet/127.0.0.1/2 ; /svc => /$/inet/127.0.0.1/1', 'web', '127.0.0.1:1'],
  ['/host/web => /$/inet/127.0.0.1/3 ; /svc => /host ;', 'web', '127.0.0.1:3'],
  ['/svc => /$/inet/127.0.0.1/4 ; /svc => /host', 'web', '127.0.0.1:4'],
  ['/svc => /$/inet/127.0.0.1', '8081', '127.0.0.1:8081'],
])('%s binds /svc/%s to %s', (dtab, host, bound) => {
  expect(resolve(dtab, 'svc', host)).toBe(bound);
});

test('a name that no prefix has is told so', () => {
  expect(resolve('/host => /$/inet/127.0.0.1/1', 'svc', 'web')).toBe('none: no dtab entry has a prefix of /svc/web');
});

test('a loop ends', () => {
  expect(resolve('/svc => /svc ; /svc => /a ; /a => /svc', 'svc', 'web')).toMatch(/loop/);
});

test.each([
  ['/svc => /a | /b', "'|' is not supported yet"],
  ['/svc => 3 * /a & /b', 'is not supported yet'],
  ['/svc/* => /a', 'wildcards are not supported yet'],
  ['/svc => ~', "'~' is not supported yet"],
  ['/svc => /#/io.l5d.fs/web', 'need a scheduler'],
  ['/svc => /$/io.buoyant.rinet', 'only /$/inet/<ip>/<port>'],
  ['/svc => /$/inet/localhost/8080', "'localhost' is not an IP address"],
  ['/svc => /$/inet/127.0.0.1/99999', "'99999' is not a port"],
  ['/svc /a', 'is not of the form'],
  ['svc => /a', "'svc' is not a path"],
])('%s is refused by name', (dtab, why) => {
  expect(() => parsePrefixRules(dtab)).toThrow(why);
});
