import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { Interpreter } from '../../../agent-proxy/routing/binding.ts';
import { readDtab, showTree } from '../../../agent-proxy/routing/dtab.ts';
import type { Outcome } from '../../../agent-proxy/routing/evaluation.ts';
import { mapLeaves, type NameTree } from '../../../agent-proxy/routing/name-tree.ts';
import type { AddressSet, Namer } from '../../../agent-proxy/routing/names.ts';
import { type Path, readPath } from '../../../agent-proxy/routing/path.ts';
import {
  constTransformer,
  localhostTransformer,
  portTransformer,
  replaceTransformer,
  specificHostTransformer,
  subnetGatewayTransformer,
  subnetLocalTransformer,
  type Transformer,
  transformNamer,
} from '../../../agent-proxy/routing/transformers.ts';
import { endpoint, StandInAddresses, StandInNamer, standInInet } from './stand-in-namer.ts';

function shownIds(state: Outcome): string {
  if (state.kind !== 'ok') return state.kind;
  return showTree(mapLeaves(state.value, ({ id }): NameTree<Path> => ({ kind: 'leaf', value: id })));
}

interface Bound {
  readonly ids: string;
  readonly addresses: AddressSet;
}

function bind(namers: readonly Namer[], transformers: readonly Transformer[], dtab = '/svc => /#/fs'): Bound {
  const interpreter = new Interpreter({ namers, inet: standInInet, transformers });
  const local = readDtab('/gateway => /svc/evil');
  const activity = interpreter.bind(readDtab(dtab), local, readPath('/svc/web'));
  activity.observe(() => undefined);
  const { state } = activity;
  const addresses = state.kind === 'ok' && state.value.kind === 'leaf' ? state.value.value.addresses : null;
  return { ids: shownIds(state), addresses: addresses ?? new StandInAddresses() };
}

function transformed(source: AddressSet, ...transformers: readonly Transformer[]): Bound {
  const fs = new StandInNamer('/fs');
  fs.binds('/web', source);
  return bind([fs], transformers);
}

function places(addresses: AddressSet): string[] | string {
  const { state } = addresses;
  if (state.kind !== 'bound') return state.kind;
  return state.endpoints.map(({ instance, address, port }: Endpoint) => `${instance}@${address}:${port}`);
}

const one = endpoint('one', { address: '10.0.1.1', port: 31_001, agentId: 'a1' });
const two = endpoint('two', { address: '9.0.0.2', port: 80, agentId: 'a2', agentAddress: '10.0.2.1' });
const three = endpoint('three', { address: '10.0.1.1', port: 31_002, agentId: 'a1' });

describe('what each transformer makes of a name', () => {
  it('port: the port on the agent of each instance, instances of one agent apart', () => {
    const { ids, addresses } = transformed(new StandInAddresses(one, two, three), portTransformer(4141));
    expect(ids).toBe('/%/io.l5d.port/4141/#/fs/web');
    expect(places(addresses)).toEqual(['one@10.0.1.1:4141', 'two@10.0.2.1:4141', 'three@10.0.1.1:4141']);
  });

  it('localhost: what is on this machine, as the caller knows it', () => {
    const onAgent = (id: string) => localhostTransformer(({ agentId }) => agentId === id);
    const { ids, addresses } = transformed(new StandInAddresses(one, two, three), onAgent('a1'));
    expect(ids).toBe('/%/io.l5d.localhost/#/fs/web');
    expect(places(addresses)).toEqual(['one@10.0.1.1:31001', 'three@10.0.1.1:31002']);
    expect(places(transformed(new StandInAddresses(one), onAgent('a9')).addresses)).toBe('neg');
  });

  it('specificHost: what is on that host, also behind an overlay address', () => {
    const { ids, addresses } = transformed(new StandInAddresses(one, two), specificHostTransformer(['10.0.2.1']));
    expect(ids).toBe('/%/io.l5d.specificHost/#/fs/web');
    expect(places(addresses)).toEqual(['two@9.0.0.2:80']);
  });

  it('a local subnet: what is in the same subnet as the given address', () => {
    const local = subnetLocalTransformer(['io.l5d.k8s.localnode', '10.0.1.77'], '10.0.1.77', 24);
    const { ids, addresses } = transformed(new StandInAddresses(one, two), local);
    expect(ids).toBe('/%/io.l5d.k8s.localnode/10.0.1.77/#/fs/web');
    expect(places(addresses)).toEqual(['one@10.0.1.1:31001']);
    expect(() => subnetLocalTransformer(['x'], 'node-1', 24)).toThrow('node-1 is not an IP address');
  });

  it('a gateway of a subnet: the one in the subnet of each address, and none where there is none', () => {
    const gateways = new StandInAddresses(endpoint('gw', { address: '10.0.1.9', port: 4141 }));
    const daemonset = subnetGatewayTransformer(['io.l5d.k8s.daemonset', 'mesh'], gateways, 24);
    const { ids, addresses } = transformed(new StandInAddresses(one, two), daemonset);
    expect(ids).toBe('/%/io.l5d.k8s.daemonset/mesh/#/fs/web');
    expect(places(addresses)).toEqual(['one@10.0.1.9:4141']);
    const changes: string[] = [];
    addresses.observe(({ kind }) => changes.push(kind));
    gateways.patch([endpoint('gw2', { address: '9.0.0.9', port: 4242 })], []);
    expect(places(addresses)).toEqual(['one@10.0.1.9:4141', 'two@9.0.0.9:4242']);
    gateways.reset({ kind: 'pending' });
    expect(places(addresses)).toBe('pending');
    expect(changes).toEqual(['reset', 'reset']);
  });

  it('several: one after the other', () => {
    const local = localhostTransformer(({ agentId }) => agentId === 'a2');
    const { ids, addresses } = transformed(new StandInAddresses(one, two), local, portTransformer(4141));
    expect(ids).toBe('/%/io.l5d.port/4141/%/io.l5d.localhost/#/fs/web');
    expect(places(addresses)).toEqual(['two@10.0.2.1:4141']);
  });
});

describe('transformers with a path of their own', () => {
  const dtab = '/gateway => /$/inet/10.0.0.9/80 ; /svc => /#/fs';
  const namer = (isBound: boolean) => {
    const fs = new StandInNamer('/fs');
    if (isBound) fs.binds('/web');
    return fs;
  };

  it('replace: a name that is bound becomes the path, whatever the dtab of the request says of that path', () => {
    const replace = [replaceTransformer(['gateway'])];
    expect(bind([namer(true)], replace, dtab).ids).toBe('/%/io.l5d.replace/$/inet/10.0.0.9/80');
    expect(bind([namer(false)], replace, dtab).ids).toBe('~');
    expect(bind([namer(true)], replace, '/svc => /#/fs').ids).toBe('~');
  });

  it('const: any name becomes the path', () => {
    const constant = [constTransformer(['gateway']), portTransformer(4141)];
    const id = '/%/io.l5d.port/4141/%/io.l5d.const/$/inet/10.0.0.9/80';
    expect(bind([namer(true)], constant, dtab).ids).toBe(id);
    expect(bind([namer(false)], constant, dtab).ids).toBe(id);
    const waiting = namer(false);
    waiting.waits('/web');
    expect(bind([waiting], constant, dtab).ids).toBe(id);
  });
});

describe('a namer with transformers', () => {
  it('binds to transformed addresses', () => {
    const fs = new StandInNamer('/fs');
    const namer = transformNamer(fs, [portTransformer(4141)]);
    fs.binds('/web', new StandInAddresses(one));
    const { ids, addresses } = bind([namer], []);
    expect(ids).toBe('/%/io.l5d.port/4141/#/fs/web');
    expect(places(addresses)).toEqual(['one@10.0.1.1:4141']);
    expect(transformNamer(fs, [])).toBe(fs);
  });

  it('looks up the path of replace and const', () => {
    const fs = new StandInNamer('/fs');
    const dtab = '/gateway => /$/inet/10.0.0.9/80 ; /svc => /#/fs';
    const through = (transformer: Transformer) => {
      const interpreter = new Interpreter({ namers: [transformNamer(fs, [transformer])], inet: standInInet });
      const activity = interpreter.bind(readDtab(dtab), [], readPath('/svc/web'));
      activity.observe(() => undefined);
      return shownIds(activity.state);
    };
    expect(through(replaceTransformer(['gateway']))).toBe('~');
    expect(through(constTransformer(['gateway']))).toBe('/$/inet/10.0.0.9/80');
    fs.binds('/web');
    expect(through(replaceTransformer(['gateway']))).toBe('/$/inet/10.0.0.9/80');
  });
});

it('transformed addresses are the same set for as long as theirs is', () => {
  const transformer = portTransformer(4141);
  const source = new StandInAddresses(one);
  expect(transformed(source, transformer).addresses).toBe(transformed(source, transformer).addresses);
});
