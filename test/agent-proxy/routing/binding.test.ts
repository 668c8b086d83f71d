import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Var } from '../../../agent-proxy/routing/activity.ts';
import { Interpreter, type InterpreterOptions } from '../../../agent-proxy/routing/binding.ts';
import { type Dtab, readDtab, showTree } from '../../../agent-proxy/routing/dtab.ts';
import type { BoundTree, Outcome } from '../../../agent-proxy/routing/evaluation.ts';
import { mapLeaves, type NameTree } from '../../../agent-proxy/routing/name-tree.ts';
import type { NamerLeaf } from '../../../agent-proxy/routing/names.ts';
import { type Path, readPath } from '../../../agent-proxy/routing/path.ts';
import { endpoint, StandInAddresses, StandInNamer, standInInet } from './stand-in-namer.ts';
import { writtenDtab } from './trees.ts';

/** A state in words: the tree of bound ids, with residuals in front of `+`. */
function show(state: Outcome): string {
  if (state.kind !== 'ok') return state.kind === 'failed' ? `failed: ${state.reason}` : 'pending';
  const tree = mapLeaves(state.value, ({ id, residual }): NameTree<Path> => {
    return { kind: 'leaf', value: residual.length === 0 ? id : [...id, '+', ...residual] };
  });
  return showTree(tree).replaceAll('\\x2b', '+');
}

interface Lab {
  readonly dtab: string;
  readonly local?: string;
  readonly namers?: readonly StandInNamer[];
  readonly options?: Partial<InterpreterOptions>;
}

/** What a name is bound to right after it is observed. */
function bind(name: string, { dtab, local = '', namers = [], options = {} }: Lab): string {
  const interpreter = new Interpreter({ namers, inet: standInInet, ...options });
  const activity = interpreter.bind(readDtab(dtab), readDtab(local), readPath(name));
  const stop = activity.observe(() => expect.unreachable('not from within observe'));
  stop();
  return show(activity.state);
}

function namer(prefix = '/fs', ...names: readonly string[]): StandInNamer {
  const created = new StandInNamer(prefix);
  for (const name of names) created.binds(name);
  return created;
}

describe('a name is bound', () => {
  it('by rewriting it until it is an address', () => {
    expect(bind('/svc/web/a', { dtab: '/ip => /$/inet ; /svc/* => /ip/127.1/80' })).toBe('/$/inet/127.1/80/+/a');
    expect(bind('/$/inet/10.0.0.1/80', { dtab: '' })).toBe('/$/inet/10.0.0.1/80');
    const dtab = '/ph => /$/io.buoyant.rinet; /svc => /ph/80; /svc => /$/io.buoyant.porthostPfx/ph';
    expect(bind('/svc/example.com:8080', { dtab })).toBe('/$/inet/example.com/8080');
    expect(bind('/svc/example.com', { dtab })).toBe('/$/inet/example.com/80');
  });

  it('by a namer, with the rest of the path that the namer leaves', () => {
    const fs = namer();
    const bound = { id: ['#', 'fs', 'web'], residual: ['a', 'b'], addresses: new StandInAddresses(endpoint('one')) };
    fs.says('/web/a/b', { kind: 'leaf', value: { kind: 'bound', bound } });
    expect(bind('/svc/web/a/b', { dtab: '/svc => /#/fs', namers: [fs] })).toBe('/#/fs/web/+/a/b');
  });

  it('to nothing where nothing matches', () => {
    expect(bind('/svc/web', { dtab: '' })).toBe('~');
    expect(bind('/svc/web', { dtab: '/host => /$/inet/80' })).toBe('~');
    expect(bind('/svc/web', { dtab: '/svc => /#/fs' })).toBe('~');
    expect(bind('/', { dtab: '' })).toBe('~');
  });

  it('to an end that the dtab names', () => {
    expect(bind('/svc/web', { dtab: '/svc => /$/nil' })).toBe('$');
    expect(bind('/svc/web', { dtab: '/svc => $' })).toBe('$');
    expect(bind('/svc/web', { dtab: '/svc => /$/inet/80 ; /svc => !' })).toBe('!');
    expect(bind('/svc/web', { dtab: '/svc => /$/inet/80 ; /svc => /$/fail' })).toBe('!');
  });

  it('with the dtab of the request over that of the router, and that over that of the interpreter', () => {
    const fs = namer('/fs', '/web', '/web2', '/web3');
    const dtab = '/svc => /#/fs';
    expect(bind('/svc/web', { dtab, local: '/svc/web => /svc/web2', namers: [fs] })).toBe('/#/fs/web2');
    expect(bind('/svc/web3', { dtab, local: '/svc/web => /svc/web2', namers: [fs] })).toBe('/#/fs/web3');
    const own = new Var<Dtab>({ kind: 'ok', value: readDtab('/svc => ! ; /srv => /#/fs') });
    expect(bind('/svc/web', { dtab: '/svc => /srv', namers: [fs], options: { dtab: own } })).toBe('/#/fs/web');
  });
});

describe('the last dentry that matches comes first', () => {
  const dtab = '/svc => /#/ns1 ; /svc => /#/ns2';
  const ns1 = () => namer('/ns1', '/web');

  it('and the ones before it are used where it is Neg', () => {
    expect(bind('/svc/web', { dtab, namers: [ns1(), namer('/ns2', '/web')] })).toBe('/#/ns2/web');
    expect(bind('/svc/web', { dtab, namers: [ns1(), namer('/ns2')] })).toBe('/#/ns1/web');
  });

  it('but not where it is Empty, Fail, pending or failed', () => {
    const ns2 = namer('/ns2');
    const lab = { dtab, namers: [ns1(), ns2] };
    ns2.says('/web', { kind: 'empty' });
    expect(bind('/svc/web', lab)).toBe('$');
    ns2.says('/web', { kind: 'fail' });
    expect(bind('/svc/web', lab)).toBe('!');
    ns2.waits('/web');
    expect(bind('/svc/web', lab)).toBe('pending');
    ns2.fails('/web', 'connection refused');
    expect(bind('/svc/web', lab)).toBe('failed: connection refused');
  });
});

describe('a union', () => {
  const dtab = '/svc => 3*/#/a & 1*/#/b & /#/c';
  const lab = () => ({ a: namer('/a', '/web'), b: namer('/b', '/web'), c: namer('/c') });

  it('has the branches that are bound, and those that are empty', () => {
    const { a, b, c } = lab();
    expect(bind('/svc/web', { dtab, namers: [a, b, c] })).toBe('3.00*/#/a/web & /#/b/web');
    c.says('/web', { kind: 'empty' });
    expect(bind('/svc/web', { dtab, namers: [a, b, c] })).toBe('3.00*/#/a/web & /#/b/web & $');
    b.says('/web', { kind: 'fail' });
    c.says('/web', { kind: 'neg' });
    expect(bind('/svc/web', { dtab, namers: [a, b, c] })).toBe('/#/a/web');
  });

  it('does not wait for branches, nor mind their failure, as soon as one is known', () => {
    const { a, b, c } = lab();
    b.waits('/web');
    c.waits('/web');
    c.fails('/web', 'down');
    expect(bind('/svc/web', { dtab, namers: [a, b, c] })).toBe('/#/a/web');
    a.waits('/web');
    expect(bind('/svc/web', { dtab, namers: [a, b, c] })).toBe('failed: down');
    c.waits('/web');
    expect(bind('/svc/web', { dtab, namers: [a, b, c] })).toBe('pending');
  });

  it('is nothing where none of its branches is anything', () => {
    expect(bind('/svc/web', { dtab: '/svc => /#/fs & ! & ~' })).toBe('~');
    expect(bind('/svc/web', { dtab: '/svc => (/#/fs & !) | /$/inet/80' })).toBe('/$/inet/80/+/web');
  });
});

describe('namers', () => {
  it('are asked only if the look-up in the dtab is Neg, the one that is configured last first', () => {
    const [early, late] = [namer('/fs', '/web', '/old'), namer('/fs', '/web')];
    early.says('/web', { kind: 'empty' });
    expect(bind('/#/fs/web', { dtab: '', namers: [early, late] })).toBe('/#/fs/web');
    expect(bind('/#/fs/old', { dtab: '', namers: [early, late] })).toBe('/#/fs/old');
    expect(bind('/#/fs/web', { dtab: '/# => ~', namers: [late] })).toBe('/#/fs/web');
    expect(bind('/#/fs/web', { dtab: '/# => /$/nil', namers: [late] })).toBe('$');
    // The dentry leads to something that is Neg in the end: that is no Neg look-up.
    expect(bind('/#/fs/web', { dtab: '/# => /nowhere', namers: [late] })).toBe('~');
  });

  it('may answer with a path, which is looked up in its turn', () => {
    const api = namer('/apiToSrv');
    const tree: NameTree<NamerLeaf> = { kind: 'leaf', value: { kind: 'path', path: ['srv', 'web'] } };
    api.says('/api-web', tree);
    const dtab = '/srv => /#/fs ; /svc => /#/apiToSrv';
    expect(bind('/svc/api-web', { dtab, namers: [api, namer('/fs', '/web')] })).toBe('/#/fs/web');
  });

  it('that are unknown under `/$/` are a failure', () => {
    expect(bind('/svc/web', { dtab: '/svc => /$/io.x' })).toMatch(
      /^failed: \/\$\/io\.x\/web names the unknown utility/,
    );
  });
});

describe('evaluation ends', () => {
  it.each([
    ['/a => /a'],
    ['/a => /b ; /b => /a'],
    ['/a => /a/a'],
    ['/a => /a | /$/inet/80'],
    ['/a => /$/io.buoyant.http.anyHostPfx/a/x'],
  ])('of %s after 100 rewrites', (dtab) => {
    expect(bind('/a', { dtab })).toMatch(/^failed: Max recursion level: 100 reached in Namer lookup of \/a/);
  });

  it.each([
    ['/a => /a & /a'],
    ['/a => (/a & ~) | /a'],
    ['/a => ~ & ~ ; / => /a & /a'],
    [`/a => ${'/a/a/a/a & '.repeat(500)}/a`],
    [`${'/b => ~ ; '.repeat(2_000)}/a => /a/b & /a/c`],
    [`/a => ${'(/a | '.repeat(99)}/a${')'.repeat(99)}`],
    [`/a => ${'(~ | '.repeat(99)}/a${')'.repeat(99)}`],
    [`/a => /a${'/b'.repeat(4_000)} & /a`],
    [`/a => (${'~ | '.repeat(2_000)} /a) & (${'~ | '.repeat(2_000)} /a)`],
  ])('of a dtab that branches without end (%#)', (dtab) => {
    expect(bind('/a', { dtab })).toMatch(/^failed: (looking up \/a takes more than 5000 rewrites|Max recursion)/);
  });

  it('of any dtab, and what comes out is evaluated', () => {
    const fs = namer('/io.l5d.fs', '/a', '/b', '/svc');
    const interpreter = new Interpreter({ namers: [fs], inet: standInInet });
    fc.assert(
      fc.property(writtenDtab, writtenDtab, fc.constantFrom('/a', '/svc/b', '/#/io.l5d.fs/a'), (base, local, name) => {
        const activity = interpreter.bind(base, local, readPath(name));
        const stop = activity.observe(() => undefined);
        const { state } = activity;
        expect(state.kind).not.toBe('pending');
        if (state.kind === 'ok') expect(isEvaluated(state.value)).toBe(true);
        stop();
      }),
      { numRuns: 1_000 },
    );
  });
});

function isEvaluated(tree: BoundTree, isBranch = false): boolean {
  if (tree.kind === 'union') {
    return tree.branches.length > 1 && tree.branches.every((branch) => isEvaluated(branch.tree, true));
  }
  return tree.kind !== 'alt' && !(isBranch && (tree.kind === 'neg' || tree.kind === 'fail'));
}

describe('a per-request dtab', () => {
  const base = '/ph => /$/io.buoyant.rinet ; /ip => /$/inet ; /svc => /ph/80 ; /svc/web => /$/inet/10.0.0.1/80';
  const refusal = /^failed: \/\$\/(fixed)?inet\/.* is refused: a per-request dtab may not name addresses/;

  it.each([
    ['/svc => /$/inet/10.9.9.9/22', '/svc/x'],
    ['/svc/x => /$/inet/22', '/svc/x'],
    ['/svc/x => /$/fixedinet/10.9.9.9/22', '/svc/x'],
    ['/svc/x => /ip/10.9.9.9/22', '/svc/x'],
    ['/svc/x => /ip', '/svc/x/10.9.9.9/22'],
    ['/svc/x => /ph/22/10.9.9.9', '/svc/x'],
    ['/svc/x => /$/io.buoyant.rinet/22/10.9.9.9', '/svc/x'],
    ['/svc/x => /y ; /y => /svc/10.9.9.9', '/svc/x'],
    ['/svc/x => ~ | /ip/10.9.9.9/22', '/svc/x'],
    ['/svc/x => /$/io.buoyant.http.anyHostPfx/ip/h/10.9.9.9/22', '/svc/x'],
    ['/ip => /svc/10.9.9.9', '/ip'],
  ])('%s reaches no address', (local, name) => {
    expect(bind(name, { dtab: base, local })).toMatch(refusal);
  });

  it('reaches the address that configuration has written out for a name', () => {
    expect(bind('/svc/x', { dtab: base, local: '/svc/x => /svc/web' })).toBe('/$/inet/10.0.0.1/80');
    const dtab = '/b => /$/inet ; /a => /b/10.0.0.1/80';
    expect(bind('/svc/x', { dtab, local: '/svc => /a' })).toBe('/$/inet/10.0.0.1/80/+/x');
  });

  it('changes nothing for names that it does not rewrite', () => {
    expect(bind('/svc/example.com', { dtab: base, local: '/svc/x => /svc/y' })).toBe('/$/inet/example.com/80');
  });

  it('reaches addresses where configuration allows it, but never link-local ones', () => {
    const options = { localMayNameAddresses: true };
    expect(bind('/svc/x', { dtab: base, local: '/svc/x => /ip/10.9.9.9/22', options })).toBe('/$/inet/10.9.9.9/22');
    expect(bind('/svc/x', { dtab: base, local: '/svc/x => /ip/169.254.1/80', options })).toContain('link-local');
    expect(bind('/svc/169.254.169.254', { dtab: base })).toContain('link-local');
  });
});

describe('a binding that is observed', () => {
  function observed(dtab: string, namers: readonly StandInNamer[], options: Partial<InterpreterOptions> = {}) {
    const interpreter = new Interpreter({ namers, inet: standInInet, ...options });
    const activity = interpreter.bind(readDtab(dtab), [], readPath('/svc/web'));
    const seen: string[] = [];
    const stop = activity.observe(() => seen.push(show(activity.state)));
    return { seen, stop, activity };
  }

  it('follows its namers: Neg falls back, and what comes back is used again', () => {
    const [ns1, ns2] = [namer('/ns1', '/web'), namer('/ns2', '/web')];
    const { seen } = observed('/svc => /#/ns1 ; /svc => /#/ns2', [ns1, ns2]);
    ns2.says('/web', { kind: 'neg' });
    ns2.binds('/web');
    expect(seen).toEqual(['/#/ns1/web', '/#/ns2/web']);
  });

  it('leaves pending and failed behind, and then keeps the last good tree', () => {
    const fs = namer('/fs');
    fs.waits('/web');
    const { seen, activity } = observed('/svc => /#/fs | /#/ns1', [fs, namer('/ns1')]);
    expect(show(activity.state)).toBe('pending');
    fs.fails('/web', 'no route to host');
    fs.binds('/web');
    fs.fails('/web', 'down again');
    expect(seen).toEqual(['failed: no route to host', '/#/fs/web']);
  });

  it('keeps the last good tree when a new branch has to be waited for', () => {
    const [a, b] = [namer('/a', '/web'), namer('/b')];
    b.waits('/web');
    const { seen, activity } = observed('/svc => /#/a | /#/b', [a, b]);
    a.says('/web', { kind: 'neg' });
    expect(show(activity.state)).toBe('/#/a/web');
    b.binds('/web');
    expect(seen).toEqual(['/#/b/web']);
  });

  it('asks only what it needs, and nothing once it is not observed', () => {
    const [a, b] = [namer('/a', '/web'), namer('/b', '/web')];
    const { stop } = observed('/svc => /#/a | /#/b', [a, b]);
    expect([a.isAsked('/web'), b.isAsked('/web')]).toEqual([true, false]);
    a.says('/web', { kind: 'neg' });
    expect([a.isAsked('/web'), b.isAsked('/web')]).toEqual([true, true]);
    a.binds('/web');
    expect([a.isAsked('/web'), b.isAsked('/web')]).toEqual([true, false]);
    stop();
    stop();
    expect([a.isAsked('/web'), b.isAsked('/web')]).toEqual([false, false]);
    expect(a.lookups).toBe(1);
  });

  it('is not evaluated again when endpoints come and go', () => {
    const fs = namer('/fs');
    const addresses = new StandInAddresses(endpoint('one'));
    fs.binds('/web', addresses);
    const { seen } = observed('/svc => /#/fs', [fs]);
    addresses.patch([endpoint('two')], ['one']);
    expect(seen).toEqual([]);
    expect(addresses.observers).toBe(0);
  });

  it('says nothing when its tree comes out the same', () => {
    const fs = namer('/fs');
    const addresses = fs.binds('/web');
    const { seen } = observed('/svc => /#/fs', [fs]);
    fs.binds('/web', addresses);
    expect(seen).toEqual([]);
    fs.binds('/web');
    expect(seen).toEqual(['/#/fs/web']);
  });

  it('follows the dtab of the interpreter', () => {
    const own = new Var<Dtab>();
    const { seen, activity } = observed('', [namer('/a', '/web'), namer('/b', '/web')], { dtab: own });
    expect(show(activity.state)).toBe('pending');
    own.ok(readDtab('/svc => /#/a'));
    own.failed('bad dtab');
    own.ok(readDtab('/svc => /#/b'));
    expect(seen).toEqual(['/#/a/web', '/#/b/web']);
  });

  it('survives a namer that speaks up while it is asked', () => {
    const fs = namer('/fs', '/web');
    const late = new Var<NameTree<NamerLeaf>>({ kind: 'ok', value: { kind: 'neg' } }, () => {
      fs.says('/web', { kind: 'empty' });
      return () => undefined;
    });
    const shy = { prefix: ['shy'], lookup: () => late };
    const interpreter = new Interpreter({ namers: [fs, shy], inet: standInInet });
    const activity = interpreter.bind(readDtab('/svc => 1*/#/fs & 1*/#/shy'), [], readPath('/svc/web'));
    activity.observe(() => undefined);
    expect(show(activity.state)).toBe('$');
  });
});
