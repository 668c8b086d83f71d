/** The client of one bound name, and how it follows its addresses. */
import { expect, test } from 'vitest';
import { Instance } from '../../../agent-proxy/balance/instance.ts';
import { DEFAULT_BALANCE } from '../../../agent-proxy/balance/params.ts';
import { BoundClient } from '../../../agent-proxy/bind/bound-client.ts';
import type { Endpoint } from '../../../agent-proxy/control/contract.ts';
import { DEFAULT_BUDGET } from '../../../agent-proxy/resilience/params.ts';
import type { AddressChange, AddressSet, AddressState } from '../../../agent-proxy/routing/names.ts';
import { endpoint } from '../../fixtures/control-stream.ts';
import { eventually } from '../../fixtures/eventually.ts';

class Addresses implements AddressSet {
  state: AddressState = { kind: 'pending' };
  private listener: ((change: AddressChange) => void) | null = null;

  observe(listener: (change: AddressChange) => void): () => void {
    this.listener = listener;
    return () => {
      this.listener = null;
    };
  }

  get isObserved(): boolean {
    return this.listener !== null;
  }

  become(state: AddressState): void {
    this.state = state;
    this.listener?.({ kind: 'reset' });
  }

  patch(set: readonly Endpoint[], unset: readonly string[], size: number): void {
    this.listener?.({ kind: 'patch', set, unset, size });
  }
}

function useClient(accepts: ((endpoint: Endpoint) => boolean) | null = null) {
  const addresses = new Addresses();
  const client = new BoundClient({
    ...{
      router: 'http',
      id: '/#/io.l5d.marathon/web',
      addresses,
      balance: DEFAULT_BALANCE,
      requeueBudget: DEFAULT_BUDGET,
    },
    ...{ attemptTimeoutMs: 1, connectTimeoutMs: 1, accepts, nodes: () => 1, now: () => 0, random: () => 0 },
    instance: (one, siblings) => new Instance(one, siblings),
  });
  client.open();
  return { addresses, client };
}

function endpoints(count: number, from = 0): Endpoint[] {
  return Array.from({ length: count }, (_, index) =>
    endpoint({ service: 'web', instance: `web.${from + index}`, port: 1_000 + from + index }),
  );
}

test('the service of a name of Marathon is its app', () => {
  expect(useClient().client.service).toBe('web');
});

test('it follows its addresses, as a whole and in part', () => {
  const { addresses, client } = useClient();
  expect([client.isPending, client.balancer.size]).toEqual([true, 0]);
  addresses.become({ kind: 'bound', endpoints: endpoints(3) });
  expect([client.isPending, client.balancer.size]).toEqual([false, 3]);
  addresses.patch(endpoints(1, 7), ['web.0'], 3);
  expect(['web.0', 'web.1', 'web.7'].map((id) => client.balancer.find(id) !== null)).toEqual([false, true, true]);
  addresses.become({ kind: 'neg' });
  expect(client.balancer.size).toBe(0);
});

test('what cannot be found out again stays as it was', () => {
  const { addresses, client } = useClient();
  addresses.become({ kind: 'bound', endpoints: endpoints(3) });
  addresses.become({ kind: 'failed', reason: 'nobody answers' });
  expect(client.balancer.size).toBe(3);
  expect(client.failure).toBe('nobody answers');
});

test('thousands of addresses are taken in slices, and the first can be used at once', async () => {
  const { addresses, client } = useClient();
  addresses.become({ kind: 'bound', endpoints: endpoints(5_000) });
  expect(client.balancer.size).toBeGreaterThan(0);
  expect(client.balancer.size).toBeLessThan(1_000);
  await eventually('all are there', () => client.balancer.size === 5_000);
});

test('a change in the middle of the slices loses nothing', async () => {
  const { addresses, client } = useClient();
  addresses.become({ kind: 'bound', endpoints: endpoints(2_000) });
  addresses.patch(endpoints(1, 9_000), ['web.1999'], 2_000);
  addresses.become({ kind: 'bound', endpoints: endpoints(1_500) });
  await eventually('all are there', () => client.balancer.size === 1_500);
  expect(client.balancer.find('web.9000')).toBeNull();
});

test('who waits is told once, when the addresses are known or cannot be had', () => {
  for (const state of [
    { kind: 'bound', endpoints: [] },
    { kind: 'neg' },
    { kind: 'failed', reason: 'no' },
  ] satisfies AddressState[]) {
    const { addresses, client } = useClient();
    let told = 0;
    client.onceKnown(() => {
      told += 1;
    });
    client.onceKnown(() => {
      throw new Error('it has stopped waiting');
    })();
    addresses.become(state);
    addresses.become(state);
    expect(told).toBe(1);
  }
});

test('who waits for a client to which no name leads any more is told, to look again', () => {
  const { addresses, client } = useClient();
  let told = 0;
  client.onceKnown(() => {
    told += 1;
  });
  client.close();
  expect([told, addresses.isObserved]).toEqual([1, false]);
});

test('it takes only what it accepts', () => {
  const { addresses, client } = useClient(({ port }) => port % 2 === 0);
  addresses.become({ kind: 'bound', endpoints: endpoints(10) });
  expect(client.balancer.size).toBe(5);
});
