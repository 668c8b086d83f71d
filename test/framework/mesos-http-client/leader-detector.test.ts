/** Who leads, by the nodes of the masters; and what is told when they change or cannot be read. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  detectLeader,
  leadingNode,
  type MasterRegistry,
  masterAddress,
} from '../../../framework/mesos-http-client/leader-detector.ts';
import type { MasterSource } from '../../../framework/mesos-http-client/master-source.ts';
import { eventually } from '../../fixtures/eventually.ts';

/** As a real master wrote it. */
const RECORDED =
  '{"address":{"hostname":"127.0.0.1","ip":"127.0.0.1","port":5050},"capabilities":[{"type":"AGENT_UPDATE"},' +
  '{"type":"AGENT_DRAINING"},{"type":"QUOTA_V2"}],"hostname":"127.0.0.1","id":"36dc0a67-e62e-4f75-9136-8897ed3184a5",' +
  '"ip":16777343,"pid":"master@127.0.0.1:5050","port":5050,"version":"1.12.0"}';

describe('the leading node', () => {
  it.each([
    [['json.info_0000000001', 'log_replicas'], 'json.info_0000000001'],
    [['json.info_0000000012', 'json.info_0000000009'], 'json.info_0000000009'],
    [['json.info_0000000012', 'info_0000000011', '0000000013'], 'info_0000000011'],
    [['json.info_0000000999', 'json.info_1000000000'], 'json.info_0000000999'],
    [['log_replicas', 'json.info_', 'json.info_x1', 'readme1'], null],
    [[], null],
  ])('of %j is %s', (names, leader) => {
    expect(leadingNode(names)).toBe(leader);
  });

  it('does not depend on the order of the names', () => {
    const numbers = fc.uniqueArray(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, (all) => {
        const names = all.map((number) => `json.info_${String(number).padStart(10, '0')}`);
        expect(leadingNode(names)).toBe(`json.info_${String(Math.min(...all)).padStart(10, '0')}`);
      }),
    );
  });
});

describe("a master's address", () => {
  it('is its address, and never the integer, whose bytes are in another order', () => {
    expect(masterAddress(Buffer.from(RECORDED))).toBe('127.0.0.1:5050');
    expect(masterAddress(Buffer.from('{"address":{"ip":"fd00::1","port":5050}}'))).toBe('[fd00::1]:5050');
  });

  it.each([
    ['', 'it is not JSON'],
    ['{"address":', 'it is not JSON'],
    ['{"ip":16777343,"port":5050}', 'no address.ip'],
    ['{"address":{"ip":"10.0.0.1","port":0}}', 'no address.ip'],
    ['null', 'no address.ip'],
  ])('is not read from %s', (text, reason) => {
    expect(() => masterAddress(Buffer.from(text))).toThrow(reason);
  });
});

describe('the detector', () => {
  const info = (ip: string): string => JSON.stringify({ address: { hostname: 'm', ip, port: 5050 } });

  /** What ZooKeeper would hold; `down` makes every question fail. */
  class Registry implements MasterRegistry {
    nodes: Record<string, string> = {};
    down = false;
    asked = 0;
    closed = false;
    /** Told when a node is about to be read. */
    beforeRead: () => void = () => undefined;
    #watchers: (() => void)[] = [];

    async watchChildren(changed: () => void): Promise<readonly string[]> {
      this.asked += 1;
      if (this.down) throw new Error('no server could be reached');
      this.#watchers.push(changed);
      return Object.keys(this.nodes);
    }

    async getData(name: string): Promise<Buffer | null> {
      this.beforeRead();
      if (this.down) throw new Error('no server could be reached');
      const text = this.nodes[name];
      return text === undefined ? null : Buffer.from(text);
    }

    set(nodes: Record<string, string>): void {
      this.nodes = nodes;
      this.tell();
    }

    tell(): void {
      for (const watcher of this.#watchers.splice(0)) watcher();
    }

    close(): void {
      this.closed = true;
    }
  }

  function detect(registry: Registry): { masters: MasterSource; seen: string[]; notes: string[] } {
    const notes: string[] = [];
    const masters = detectLeader({
      registry,
      note: (fields, message) => notes.push(`${message} ${JSON.stringify(fields)}`),
      retry: { firstMs: 5, maxMs: 20, factor: 2 },
    });
    onTestFinished(() => masters.close());
    const seen: string[] = [];
    masters.watch(() => seen.push(masters.current().join(',')));
    return { masters, seen, notes };
  }

  it('follows the leader from one to the next, and to none', async () => {
    const registry = new Registry();
    registry.nodes = {
      'json.info_0000000009': info('10.0.0.9'),
      'json.info_0000000012': info('10.0.0.12'),
      log_replicas: '',
    };
    const { masters, seen } = detect(registry);
    expect(masters.current()).toEqual([]);
    await eventually('a leader is seen', () => seen.length === 1);
    registry.set({ 'json.info_0000000012': info('10.0.0.12') });
    await eventually('the next one is seen', () => seen.length === 2);
    // One that does not lead comes: nothing to tell.
    registry.set({ 'json.info_0000000012': info('10.0.0.12'), 'json.info_0000000013': info('10.0.0.13') });
    registry.set({ log_replicas: '' });
    await eventually('none is seen', () => seen.length === 3);
    expect(seen).toEqual(['http://10.0.0.9:5050', 'http://10.0.0.12:5050', '']);
  });

  it('knows no leader when its node is gone before it is read, and looks again when that is told', async () => {
    const registry = new Registry();
    registry.nodes = { 'json.info_0000000001': info('10.0.0.1') };
    registry.beforeRead = () => {
      registry.beforeRead = () => undefined;
      registry.set({ 'json.info_0000000002': info('10.0.0.2') });
    };
    const { seen } = detect(registry);
    await eventually('the next one is seen', () => seen.length > 0);
    expect(seen).toEqual(['http://10.0.0.2:5050']);
  });

  it('goes from one leader to the next without a time of none when the first goes between the list and the look', async () => {
    const registry = new Registry();
    const [first, second] = [info('10.0.0.1'), info('10.0.0.2')];
    registry.nodes = { 'json.info_0000000001': first };
    const { seen } = detect(registry);
    await eventually('the first leads', () => seen.length === 1);
    registry.beforeRead = () => {
      registry.beforeRead = () => undefined;
      registry.set({ 'json.info_0000000002': second });
    };
    registry.set({ 'json.info_0000000001': first, 'json.info_0000000002': second });
    await eventually('the second leads', () => seen.includes('http://10.0.0.2:5050'));
    expect(seen).toEqual(['http://10.0.0.1:5050', 'http://10.0.0.2:5050']);
  });

  it('keeps the leader while ZooKeeper cannot be asked, and says so', async () => {
    const registry = new Registry();
    registry.nodes = { 'json.info_0000000001': info('10.0.0.1') };
    const { masters, seen, notes } = detect(registry);
    await eventually('a leader is seen', () => seen.length === 1);
    registry.down = true;
    const asked = registry.asked;
    registry.tell();
    await eventually('it tries again and again', () => registry.asked > asked + 3);
    expect(masters.current()).toEqual(['http://10.0.0.1:5050']);
    expect(notes.at(-1)).toBe(
      'who leads cannot be told now {"leader":"http://10.0.0.1:5050","reason":"no server could be reached"}',
    );
    registry.nodes = { 'json.info_0000000002': info('10.0.0.2') };
    registry.down = false;
    await eventually('the next one is seen', () => seen.length === 2);
    expect(seen).toEqual(['http://10.0.0.1:5050', 'http://10.0.0.2:5050']);
  });

  it('S19 keeps the leader while the node of the next one cannot be read', async () => {
    const registry = new Registry();
    registry.nodes = { 'json.info_0000000003': info('10.0.0.3') };
    const { masters, seen, notes } = detect(registry);
    await eventually('a leader is seen', () => seen.length === 1);
    registry.set({ 'json.info_0000000002': '{"address":' });
    await eventually('it is noticed', () => notes.some((note) => note.includes('json.info_0000000002 cannot be read')));
    expect(masters.current()).toEqual(['http://10.0.0.3:5050']);
    registry.nodes = { 'json.info_0000000002': info('10.0.0.2') };
    await eventually('it is read', () => seen.length === 2);
    expect(masters.current()).toEqual(['http://10.0.0.2:5050']);
  });

  it('tells nobody who has unsubscribed, and nothing after it is closed', async () => {
    const registry = new Registry();
    const { masters, seen } = detect(registry);
    let told = 0;
    const forget = masters.watch(() => {
      told += 1;
    });
    registry.set({ 'json.info_0000000001': info('10.0.0.1') });
    await eventually('a leader is seen', () => seen.length === 1);
    forget();
    registry.set({ 'json.info_0000000002': info('10.0.0.2') });
    await eventually('the next one is seen', () => seen.length === 2);
    await masters.close();
    expect(registry.closed).toBe(true);
    const asked = registry.asked;
    registry.set({});
    expect(registry.asked).toBe(asked);
    expect([told, seen.length]).toEqual([1, 2]);
  });
});
