import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { MappedAddresses } from '../../../agent-proxy/routing/mapped-addresses.ts';
import type { AddressChange, AddressSet } from '../../../agent-proxy/routing/names.ts';
import { endpoint, StandInAddresses } from './stand-in-namer.ts';

/** Keeps what is on agent a1, and moves it to port 4141. */
function onlyA1(source: AddressSet): MappedAddresses {
  return new MappedAddresses(source, (given) => (given.agentId === 'a1' ? { ...given, port: 4141 } : null));
}

const at = (instance: string, agentId: string): Endpoint => endpoint(instance, { agentId });
const moved = (instance: string): Endpoint => ({ ...at(instance, 'a1'), port: 4141 });

describe('mapped addresses', () => {
  function observed(...endpoints: readonly Endpoint[]) {
    const source = new StandInAddresses(...endpoints);
    const mapped = onlyA1(source);
    const changes: AddressChange[] = [];
    const stop = mapped.observe((change) => changes.push(change));
    return { source, mapped, changes, stop };
  }

  it('pass a patch on, without what the map drops', () => {
    const { source, mapped, changes } = observed(at('one', 'a1'), at('two', 'a2'));
    source.patch([at('three', 'a1'), at('four', 'a2')], ['two']);
    expect(changes).toEqual([{ kind: 'patch', set: [moved('three')], unset: [], size: 2 }]);
    expect(mapped.state).toEqual({ kind: 'bound', endpoints: [moved('one'), moved('three')] });
  });

  it('lose an endpoint that changes so that it is dropped', () => {
    const { source, changes } = observed(at('one', 'a1'), at('two', 'a1'));
    source.patch([at('two', 'a2')], []);
    expect(changes).toEqual([{ kind: 'patch', set: [], unset: ['two'], size: 1 }]);
  });

  it('say nothing of changes to what was dropped anyway', () => {
    const { source, changes } = observed(at('one', 'a1'), at('two', 'a2'));
    source.patch([at('three', 'a2')], ['two']);
    expect(changes).toEqual([]);
  });

  it('are Neg when nothing is left, and start anew from there', () => {
    const { source, mapped, changes } = observed(at('one', 'a1'), at('two', 'a2'));
    source.patch([], ['one']);
    expect(mapped.state).toMatchObject({ kind: 'neg' });
    source.patch([at('three', 'a1')], []);
    expect(mapped.state).toEqual({ kind: 'bound', endpoints: [moved('three')] });
    expect(changes).toEqual([{ kind: 'reset' }, { kind: 'reset' }]);
  });

  it('pass other states on', () => {
    const { source, mapped, changes } = observed(at('one', 'a1'));
    source.reset({ kind: 'failed', reason: 'no such host' });
    expect(mapped.state).toEqual({ kind: 'failed', reason: 'no such host' });
    source.reset({ kind: 'pending' });
    expect(mapped.state).toEqual({ kind: 'pending' });
    expect(changes).toEqual([{ kind: 'reset' }, { kind: 'reset' }]);
  });

  it('observe their source once, while somebody observes them', () => {
    const { source, mapped, stop } = observed(at('one', 'a1'));
    const stopSecond = mapped.observe(() => undefined);
    expect(source.observers).toBe(1);
    stop();
    stop();
    expect(source.observers).toBe(1);
    stopSecond();
    expect(source.observers).toBe(0);
    expect(mapped.state).toEqual({ kind: 'bound', endpoints: [moved('one')] });
  });
});

it('whoever applies the changes has what the state says', () => {
  const agent = fc.constantFrom('a1', 'a2');
  const instance = fc.constantFrom('i1', 'i2', 'i3', 'i4');
  const change = fc.record({
    set: fc.uniqueArray(fc.tuple(instance, agent), { selector: ([id]) => id, maxLength: 3 }),
    unset: fc.uniqueArray(instance, { maxLength: 2 }),
    isReset: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const source = new StandInAddresses(at('i1', 'a1'));
      const mapped = onlyA1(source);
      let held = new Map<string, Endpoint>();
      const readAll = (): void => {
        const endpoints = mapped.state.kind === 'bound' ? mapped.state.endpoints : [];
        held = new Map(endpoints.map((given) => [given.instance, given]));
      };
      mapped.observe((told) => {
        if (told.kind === 'reset') return readAll();
        for (const gone of told.unset) expect(held.delete(gone)).toBe(true);
        for (const given of told.set) held.set(given.instance, given);
        expect(held.size).toBe(told.size);
      });
      readAll();
      for (const { set, unset, isReset } of changes) {
        const endpoints = set.map(([id, agentId]) => at(id, agentId));
        if (isReset) source.reset({ kind: 'bound', endpoints });
        else
          source.patch(
            endpoints,
            unset.filter((id) => !set.some(([other]) => other === id)),
          );
        const { state } = mapped;
        expect([...held.keys()].sort()).toEqual(
          state.kind === 'bound' ? state.endpoints.map((given) => given.instance).sort() : [],
        );
      }
    }),
  );
});
