import { describe, expect, it } from 'vitest';
import { readPath, showPath } from '../../../agent-proxy/routing/path.ts';
import { lookupUtility } from '../../../agent-proxy/routing/utility-namers.ts';
import { standInInet } from './stand-in-namer.ts';

/** What a path means, in words. */
function look(path: string, trusted?: number): string {
  const answer = lookupUtility(readPath(path), standInInet, trusted);
  if (answer.kind === 'failed') return answer.reason;
  const tree = answer.value;
  if (tree.kind !== 'leaf') return tree.kind;
  if (tree.value.kind === 'path') return `→ ${showPath(tree.value.path)}`;
  const { id, residual, addresses } = tree.value.bound;
  const [endpoint] = addresses.state.kind === 'bound' ? addresses.state.endpoints : [];
  return `${showPath(id)} + ${showPath(residual)} = ${endpoint?.instance}`;
}

describe('/$/inet', () => {
  it.each([
    ['/$/inet/10.0.0.1/80', '/$/inet/10.0.0.1/80 + / = 10.0.0.1:80'],
    ['/$/inet/example.com/80/a/b', '/$/inet/example.com/80 + /a/b = example.com:80'],
    ['/$/inet/127.1/8080/res', '/$/inet/127.1/8080 + /res = 127.0.0.1:8080'],
    ['/$/inet/8080', '/$/inet/8080 + / = localhost:8080'],
    ['/$/inet/8080/res', '/$/inet/8080 + /res = localhost:8080'],
    ['/$/fixedinet/10.1/80/a', '/$/fixedinet/10.1/80 + /a = 10.0.0.1:80'],
    ['/$/inet/\\x5b\\x3a\\x3a\\x31\\x5d/80', '/$/inet/\\x5b\\x3a\\x3a\\x31\\x5d/80 + / = ::1:80'],
    ['/$/inet', 'neg'],
    ['/$/inet/host', 'neg'],
    ['/$/inet/host/http', 'neg'],
    ['/$/inet/host/0', '/$/inet/host/0 is refused: a port is 1 to 65535'],
    ['/$/inet/host/65536', '/$/inet/host/65536 is refused: a port is 1 to 65535'],
  ])('%s: %s', (path, meaning) => {
    expect(look(path)).toBe(meaning);
  });

  it.each([
    '169.254.169.254',
    '169.254.1',
    '2852039166',
    '0xa9.0xfe.0xa9.0xfe',
    'fe80::1',
    'febf::1',
    '::ffff:169.254.169.254',
    '::169.254.169.254',
    '64:ff9b::169.254.169.254',
    '[fe80::1]',
  ])('never reaches the link-local address %s', (host) => {
    const shown = showPath(['$', 'inet', host, '80']);
    expect(look(shown)).toBe(`${shown} is refused: link-local addresses are never routed to`);
  });

  it('does not name an address with segments that are not trusted', () => {
    const refusal =
      "is refused: a per-request dtab may not name addresses; bind a name of the router's own dtab instead";
    expect(look('/$/inet/10.0.0.1/80/res', 3)).toBe(`/$/inet/10.0.0.1/80 ${refusal}`);
    expect(look('/$/inet/80', 2)).toBe(`/$/inet/80 ${refusal}`);
    expect(look('/$/inet/10.0.0.1/80/res', 4)).toBe('/$/inet/10.0.0.1/80 + /res = 10.0.0.1:80');
    expect(look('/$/fixedinet/10.0.0.1/80', 0)).toContain('is refused');
  });
});

describe('the other utility namers', () => {
  it.each([
    ['/$/nil', 'empty'],
    ['/$/nil/a/b', 'empty'],
    ['/$/fail', 'fail'],
    ['/$', 'neg'],
    ['/a/b', 'neg'],
    ['/$/io.buoyant.rinet/80/example.com', '→ /$/inet/example.com/80'],
    ['/$/io.buoyant.rinet/80/example.com/a', '→ /$/inet/example.com/80/a'],
    ['/$/io.buoyant.rinet/80', 'neg'],
    ['/$/io.buoyant.hostportPfx/ia/127.1:8080/etc', '→ /ia/127.1/8080/etc'],
    ['/$/io.buoyant.hostportPfx/ia/google.com:http', '→ /ia/google.com/http'],
    ['/$/io.buoyant.hostportPfx/ia/google.com:8180:abcdef', 'neg'],
    ['/$/io.buoyant.hostportPfx/ia/google.com', 'neg'],
    ['/$/io.buoyant.hostportPfx/ia/google.com:HTTP', 'neg'],
    ['/$/io.buoyant.hostportPfx/ia/google.com:', 'neg'],
    ['/$/io.buoyant.hostportPfx/ia/:80', 'neg'],
    ['/$/io.buoyant.hostportPfx/ia', 'neg'],
    [`/$/io.buoyant.hostportPfx/ia/a:${'p'.repeat(63)}`, `→ /ia/a/${'p'.repeat(63)}`],
    [`/$/io.buoyant.hostportPfx/ia/a:${'p'.repeat(64)}`, 'neg'],
    ['/$/io.buoyant.porthostPfx/ia/127.1:http/etc', '→ /ia/http/127.1/etc'],
    ['/$/io.buoyant.http.anyMethod/GET/a', '→ /a'],
    ['/$/io.buoyant.http.anyMethod/GET', '→ /'],
    ['/$/io.buoyant.http.anyMethod/G\\x20T/a', 'neg'],
    ['/$/io.buoyant.http.anyMethodPfx/host/POST/www.example.com', '→ /host/www.example.com'],
    ['/$/io.buoyant.http.anyMethodPfx/host', 'neg'],
    ['/$/io.buoyant.http.anyHost/a_b.c-d:80/x', '→ /x'],
    ['/$/io.buoyant.http.anyHost/a\\x2fb/x', 'neg'],
    ['/$/io.buoyant.http.anyHostPfx/pfx/a.b/x', '→ /pfx/x'],
    ['/$/io.buoyant.http.subdomainOf/b.c/a.b.c', '→ /a'],
    ['/$/io.buoyant.http.subdomainOf/c/a.b.c/x', '→ /a.b/x'],
    ['/$/io.buoyant.http.subdomainOf/b.c/a.B.C:80', '→ /a'],
    ['/$/io.buoyant.http.subdomainOf/b.c/b.c', 'neg'],
    ['/$/io.buoyant.http.subdomainOf/b.c/.b.c', 'neg'],
    ['/$/io.buoyant.http.subdomainOf/b.c/ab.c', 'neg'],
    ['/$/io.buoyant.http.subdomainOfPfx/b.c/pfx/a.b.c:80/x', '→ /pfx/a/x'],
    ['/$/io.buoyant.http.domainToPath/a.b.c/x', '→ /c/b/a/x'],
    ['/$/io.buoyant.http.domainToPath/A.b.C.:80/X', '→ /c/b/a/X'],
    ['/$/io.buoyant.http.domainToPath/a.b:http', '→ /b:http/a'],
    ['/$/io.buoyant.http.domainToPathPfx/Pfx/WEB:4140', '→ /Pfx/web'],
    ['/$/io.buoyant.http.domainToPath/a.b./x', '→ /b/a/x'],
    ['/$/io.buoyant.http.domainToPath/./x', 'neg'],
    ['/$/io.buoyant.http.domainToPathPfx/pfx/www.example.com', '→ /pfx/com/example/www'],
    ['/$/io.buoyant.http.domainToPathPfx/pfx', 'neg'],
  ])('%s: %s', (path, meaning) => {
    expect(look(path)).toBe(meaning);
  });

  it('are refused by name when there is none of that name', () => {
    expect(look('/$/io.x/a')).toMatch(
      /^\/\$\/io\.x\/a names the unknown utility namer \/\$\/io\.x; there are: inet, fixedinet, nil, fail, io\.buoyant/,
    );
  });
});
