/** A configuration in the scheduler's options: what becomes of it at the first start, at the next ones, and when it is another. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MeshConfigSource } from '../../../scheduler/config/mesh-config.ts';
import { KeptState } from '../../../scheduler/policy/kept-state.ts';
import { OptionsConfig } from '../../../scheduler/policy/options-config.ts';
import type { Proposal, ProposalOutcome } from '../../../scheduler/policy/rolling-config.ts';
import { MemoryStore } from '../../bench/scheduler/memory-store.ts';
import { eventually } from '../../fixtures/eventually.ts';

interface Revision {
  revision: number;
  document: unknown;
  author: string | null;
  note: string | null;
  at: number;
}

const PORTS = { outgoing: 4140, incoming: 4141, admin: 9990, edge: 4143 };
const text = (yaml: string): MeshConfigSource => ({ kind: 'text', text: yaml });
const TRACED = text('usage: {orgId: a}\n');
const OTHER = text('usage: {orgId: b}\n');

let store: MemoryStore;
/** What a rolling configuration knows; each proposal is completed at once. */
let revisions: Revision[];
let isUnderWay: boolean;
/** How often it was asked whether one is under way, and how often one was proposed all the same. */
let looks: number;
let busy: number;
let running: OptionsConfig[];

beforeEach(() => {
  store = new MemoryStore();
  revisions = [];
  isUnderWay = false;
  looks = 0;
  busy = 0;
  running = [];
});
afterEach(() => Promise.all(running.map((each) => each.stop())));

const config = {
  get completed() {
    return revisions.length;
  },
  get isUnderWay() {
    looks += 1;
    return isUnderWay;
  },
  revision: (number: number) => revisions[number - 1] as never,
  allRevisions: () => [...revisions].reverse() as never,
  async propose({ document, author, note }: Proposal): Promise<ProposalOutcome> {
    if (isUnderWay) {
      busy += 1;
      return { kind: 'busy', revision: revisions.length };
    }
    put(document, author, note);
    return { kind: 'begun', revision: revisions.length };
  },
};

function put(document: unknown, author: string | null, note: string | null): void {
  revisions.push({ revision: revisions.length + 1, document, author, note, at: Date.UTC(2026, 0, 1) });
}

/** As the scheduler does it, with its state as it is now. */
async function started(
  source: MeshConfigSource,
  fetch: (url: string) => Promise<string> = () => Promise.reject(new Error('nobody is there')),
): Promise<OptionsConfig> {
  const logger = { info: () => undefined, error: () => undefined };
  const kept = new KeptState(store);
  const given = new OptionsConfig({ source, kept, config, ports: PORTS, logger, fetch });
  running.push(given);
  const isFirst = revisions.length === 0;
  if (isFirst) put((await given.first()) ?? {}, null, 'the defaults');
  await given.start(isFirst);
  return given;
}

const isKept = (revision: number) => async () =>
  ((await store.get('config/options'))?.value as { revision: number } | undefined)?.revision === revision;

describe('the configuration of the options', () => {
  test('is the first revision of a new mesh, and the same again changes nothing', async () => {
    await started(TRACED);
    await started(TRACED);
    await running[1]?.stop();
    expect(revisions.map(({ document }) => document)).toEqual([{ usage: { orgId: 'a' } }]);
  });

  test('is a proposal when it is another', async () => {
    await started(TRACED);
    await started(OTHER);
    await eventually('it is kept', isKept(2));
    expect(revisions[1]).toMatchObject({ author: 'the options', note: 'the options have changed' });
    await started(OTHER);
    await running[2]?.stop();
    expect(revisions).toHaveLength(2);
  });

  test('says what it takes the place of, where somebody has put another since', async () => {
    await started(TRACED);
    put({ usage: { orgId: 'c' } }, 'ann', null);
    await started(TRACED);
    await running[1]?.stop();
    // The same options, as after a restart, do not take back what ann put.
    expect(revisions).toHaveLength(2);
    await started(OTHER);
    await eventually('it is kept', isKept(3));
    expect(revisions[2]?.note).toBe(
      'the options have changed; it takes the place of revision 2, which ann put on 2026-01-01T00:00:00.000Z',
    );
  });

  test('waits for the revision that is under way', async () => {
    await started(TRACED);
    isUnderWay = true;
    await started(OTHER);
    await eventually('it has looked', () => looks > 0);
    expect(busy).toBe(0);
    isUnderWay = false;
    await eventually('it is kept', isKept(2));
  });

  test('is not proposed again where the scheduler ended before it could note that', async () => {
    await started(TRACED);
    put({ usage: { orgId: 'b' } }, 'the options', 'the options have changed');
    await started(OTHER);
    await eventually('it is kept', isKept(2));
    expect(revisions).toHaveLength(2);
  });

  test('that is not valid leaves the mesh as it is, and says where it is wrong', async () => {
    await started(TRACED);
    const given = await started(text('usage: {orgId: b}\nrouters: 7\n'));
    await eventually('the fault', () => given.fault);
    expect(given.fault).toMatch(/^the configuration that the options give is not valid: routers, line 2: /);
    expect(revisions).toHaveLength(1);
    // Neither does it keep a new mesh from its defaults.
    revisions = [];
    store = new MemoryStore();
    await started(text('routers: 7\n'));
    expect(revisions).toMatchObject([{ document: {} }]);
  });

  test('behind a URL that does not answer at first is asked for again', async () => {
    let asked = 0;
    const fetch = async (url: string): Promise<string> => {
      asked += 1;
      if (asked < 3) throw new Error(`${url} does not answer`);
      return 'usage: {orgId: a}\n';
    };
    const given = await started({ kind: 'url', url: 'http://config.example/linkerd.yaml' }, fetch);
    expect(revisions).toMatchObject([{ document: {} }]);
    expect(given.fault).toBe(
      'the configuration that the options give cannot be had: http://config.example/linkerd.yaml does not answer',
    );
    await eventually('it is kept', isKept(2));
    expect(given.fault).toBeNull();
    expect(revisions[1]?.document).toEqual({ usage: { orgId: 'a' } });
  });
});
