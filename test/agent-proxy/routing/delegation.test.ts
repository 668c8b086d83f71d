import { describe, expect, it } from 'vitest';
import { Interpreter, type InterpreterOptions } from '../../../agent-proxy/routing/binding.ts';
import type { DelegateNode } from '../../../agent-proxy/routing/delegate-node.ts';
import { readDtab } from '../../../agent-proxy/routing/dtab.ts';
import { readPath } from '../../../agent-proxy/routing/path.ts';
import { constTransformer, portTransformer, replaceTransformer } from '../../../agent-proxy/routing/transformers.ts';
import { endpoint, StandInAddresses, StandInNamer, standInInet } from './stand-in-namer.ts';

function delegation(dtab: string, path: string, options: Partial<InterpreterOptions> = {}, local = '') {
  const interpreter = new Interpreter({ namers: [], inet: standInInet, ...options });
  const activity = interpreter.delegate(readDtab(dtab), readDtab(local), readPath(path));
  activity.observe(() => undefined);
  return activity;
}

function delegate(...args: Parameters<typeof delegation>): DelegateNode | string {
  const { state } = delegation(...args);
  return state.kind === 'ok' ? state.value : state.kind;
}

function namer(...names: readonly string[]): StandInNamer {
  const fs = new StandInNamer('/fs');
  for (const name of names) fs.binds(name, new StandInAddresses(endpoint('one', { address: '10.0.0.1', port: 80 })));
  return fs;
}

const addr = { type: 'bound', addrs: [{ ip: '10.0.0.1', port: 80, meta: {} }], meta: {} };
const bound = { addr, id: '/#/fs/web', path: '/' };

describe('the delegation of a name', () => {
  it('shows each rewrite with its dentry, down to the bound name and its addresses', () => {
    const tree = delegate('/host => /#/fs ; /svc => /host', '/svc/web', { namers: [namer('/web')] });
    const toFs = { prefix: '/host', dst: '/#/fs' };
    expect(tree).toEqual({
      type: 'delegate',
      path: '/svc/web',
      delegate: {
        type: 'delegate',
        path: '/host/web',
        dentry: { prefix: '/svc', dst: '/host' },
        delegate: { type: 'leaf', path: '/#/fs/web', dentry: toFs, bound },
      },
    });
    expect(JSON.parse(JSON.stringify(tree))).toEqual(tree);
  });

  it('shows all alternatives, the last dentry first', () => {
    expect(delegate('/svc => /a ; /svc => /#/fs', '/svc/web', { namers: [namer('/web')] })).toEqual({
      type: 'alt',
      path: '/svc/web',
      alt: [
        { type: 'leaf', path: '/#/fs/web', dentry: { prefix: '/svc', dst: '/#/fs' }, bound },
        { type: 'neg', path: '/a/web', dentry: { prefix: '/svc', dst: '/a' } },
      ],
    });
  });

  it('shows shares with their weights, and ends as they are written', () => {
    const dst = '0.25*/#/fs & (~ | ! | $)';
    const dentry = { prefix: '/svc', dst };
    expect(delegate(`/svc => ${dst}`, '/svc/web', { namers: [namer('/web')] })).toEqual({
      type: 'union',
      path: '/svc/web',
      union: [
        { weight: 0.25, tree: { type: 'leaf', path: '/#/fs/web', dentry, bound } },
        {
          weight: 1,
          tree: {
            type: 'alt',
            path: '/svc/web',
            dentry,
            alt: [
              { type: 'neg', path: '~', dentry },
              { type: 'fail', path: '!', dentry },
              { type: 'empty', path: '$', dentry },
            ],
          },
        },
      ],
    });
  });

  it('shows utility namers as what they make of the path', () => {
    const dtab = '/svc => /$/io.buoyant.hostportPfx/p ; /p => /$/fail';
    expect(delegate(dtab, '/svc/a:80')).toEqual({
      type: 'delegate',
      path: '/svc/a:80',
      delegate: {
        type: 'delegate',
        path: '/$/io.buoyant.hostportPfx/p/a:80',
        dentry: { prefix: '/svc', dst: '/$/io.buoyant.hostportPfx/p' },
        delegate: {
          type: 'delegate',
          path: '/p/a/80',
          delegate: { type: 'fail', path: '/$/fail/a/80', dentry: { prefix: '/p', dst: '/$/fail' } },
        },
      },
    });
  });

  it('shows what fails in its place', () => {
    const fs = namer();
    fs.waits('/web');
    fs.fails('/web', 'connection refused');
    const dentry = { prefix: '/svc', dst: '/#/fs' };
    expect(delegate('/svc => /#/fs', '/svc/web', { namers: [fs] })).toMatchObject({
      delegate: { type: 'exception', path: '/#/fs/web', dentry, message: 'connection refused' },
    });
    expect(delegate('', '/svc/x', {}, '/svc => /$/inet/10.0.0.1/80')).toMatchObject({
      delegate: { type: 'exception', message: expect.stringContaining('a per-request dtab may not name addresses') },
    });
  });

  it('shows names without addresses', () => {
    const fs = namer();
    const failed = new StandInAddresses();
    failed.reset({ kind: 'failed', reason: 'no such host' });
    fs.binds('/web', failed);
    expect(delegate('', '/#/fs/web', { namers: [fs] })).toMatchObject({
      bound: { addr: { type: 'failed', cause: 'no such host' } },
    });
    failed.reset({ kind: 'neg' });
    expect(delegate('', '/#/fs/web', { namers: [fs] })).toMatchObject({ bound: { addr: { type: 'neg' } } });
  });

  it('waits for namers and for addresses', () => {
    const fs = namer();
    fs.waits('/web');
    const activity = delegation('/svc => /#/fs', '/svc/web', { namers: [fs] });
    expect(activity.state.kind).toBe('pending');
    const addresses = new StandInAddresses();
    addresses.reset({ kind: 'pending' });
    fs.binds('/web', addresses);
    expect(activity.state.kind).toBe('pending');
    addresses.reset({ kind: 'neg' });
    expect(activity.state.kind).toBe('ok');
  });

  it('shows what transformers make of a bound name', () => {
    const transformers = [portTransformer(4141)];
    expect(delegate('', '/#/fs/web', { namers: [namer('/web')], transformers })).toEqual({
      type: 'transformation',
      path: '/#/fs/web',
      name: 'io.l5d.port',
      bound,
      tree: {
        type: 'leaf',
        path: '/#/fs/web',
        bound: {
          addr: { type: 'bound', addrs: [{ ip: '10.0.0.1', port: 4141, meta: {} }], meta: {} },
          id: '/%/io.l5d.port/4141/#/fs/web',
          path: '/',
        },
      },
    });
    const dtab = '/gateway => 1*/#/fs/web & 3*$';
    for (const transformer of [replaceTransformer(['gateway']), constTransformer(['gateway'])]) {
      const options = { namers: [namer('/web')], transformers: [transformer] };
      expect(delegate(dtab, '/#/fs/web', options)).toMatchObject({
        type: 'transformation',
        tree: {
          type: 'union',
          path: '/gateway',
          union: [
            { weight: 1, tree: { type: 'leaf', bound: { id: `/%/${transformer.prefix[1]}/#/fs/web` } } },
            { weight: 3, tree: { type: 'empty' } },
          ],
        },
      });
    }
  });

  it.each([
    ['/a => /a', 'Max recursion level: 100 reached in Namer lookup'],
    ['/a => /a & /a', 'the rest is left out'],
    [`/a => ${'(/a | '.repeat(99)}/a${')'.repeat(99)}`, 'the rest is left out'],
  ])('of %s ends', (dtab, message) => {
    expect(JSON.stringify(delegate(dtab, '/a'))).toContain(message);
  });

  it('meets the weight of an endpoint in its meta data', () => {
    const fs = namer();
    fs.binds('/web', new StandInAddresses(endpoint('one', { address: '10.0.0.1', port: 80, weight: 0.5 })));
    expect(delegate('', '/#/fs/web', { namers: [fs] })).toMatchObject({
      bound: { addr: { addrs: [{ ip: '10.0.0.1', port: 80, meta: { endpoint_addr_weight: 0.5 } }] } },
    });
  });
});
