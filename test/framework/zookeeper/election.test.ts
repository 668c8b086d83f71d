/** Elections with real servers: who leads, how soon, and never two at once. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Election, elect } from '../../../framework/zookeeper/election.ts';
import type { Lease } from '../../../framework/zookeeper/lease.ts';
import type { Session } from '../../../framework/zookeeper/session.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { startTcpLink, type TcpLink } from '../../fixtures/tcp-link.ts';
import { type Ensemble, startZooKeeper } from '../../fixtures/zookeeper.ts';
import { bundleCandidate, machineNow, startCandidate } from './candidate-process.ts';
import { openTestSession } from './open.ts';

const TIMEOUT_MS = 2000;

let zookeeper: Ensemble;
let program: Awaited<ReturnType<typeof bundleCandidate>>;
beforeAll(async () => {
  [zookeeper, program] = await Promise.all([startZooKeeper(), bundleCandidate()]);
}, 40_000);
afterAll(() => Promise.all([zookeeper.stop(), program.remove()]));

const newPath = (): string => `/election/${randomUUID()}/lock`;

interface Candidate {
  readonly session: Session;
  readonly election: Election;
  lease: Lease | null;
}

async function stand(path: string, address = zookeeper.address, timeoutMs = TIMEOUT_MS): Promise<Candidate> {
  const session = await openTestSession(address, { timeoutMs });
  const election = elect({ session, path, data: 'a candidate' });
  const candidate: Candidate = { session, election, lease: null };
  election.elected.then(
    (lease) => {
      candidate.lease = lease;
    },
    () => undefined,
  );
  return candidate;
}

async function linked(): Promise<TcpLink> {
  const link = await startTcpLink(zookeeper.servers[0]?.port ?? 0);
  onTestFinished(() => link.close());
  return link;
}

/** In line, so that the next to come is behind it. */
async function standBehind(path: string, count: number, address = zookeeper.address): Promise<Candidate> {
  const candidate = await stand(path, address);
  const looker = await openTestSession(zookeeper.address);
  await eventually('it stands in line', async () => (await looker.getChildren(path)).length === count);
  return candidate;
}

describe('an election', () => {
  it('is won by who came first, and by the next at once when that one resigns', async () => {
    const path = newPath();
    const first = await stand(path);
    const lease = await first.election.elected;
    expect(lease.isValid()).toBe(true);
    const second = await standBehind(path, 2);
    const third = await standBehind(path, 3);
    expect((await second.session.getData(path)).data.toString()).toBe('a candidate');
    expect([second.lease, third.lease]).toEqual([null, null]);

    let told = '';
    lease.onLost((reason) => {
      told = reason;
    });
    const begun = performance.now();
    const resigning = first.election.resign();
    expect(lease.isValid()).toBe(false);
    expect(told).toBe('the leadership was given back');
    await second.election.elected;
    // Without its resignation its session would have to end first.
    expect(performance.now() - begun).toBeLessThan(0.75 * TIMEOUT_MS);
    await resigning;

    await second.session.close();
    const after = await third.election.elected;
    expect(after.isValid()).toBe(true);
    expect(await second.lease?.lost).toContain('closed by this process');
  });

  it('goes on when one in the middle leaves the line', async () => {
    const path = newPath();
    const first = await stand(path);
    await first.election.elected;
    const second = await standBehind(path, 2);
    const third = await standBehind(path, 3);
    await second.election.resign();
    await expect(second.election.elected).rejects.toMatchObject({ kind: 'closed' });
    expect(third.lease).toBeNull();
    await first.election.resign();
    await third.election.elected;
    expect(await third.session.getChildren(path)).toHaveLength(1);
  });

  it('keeps a lease for longer than a session without news would last', async () => {
    const { election } = await stand(newPath(), zookeeper.address, 600);
    const lease = await election.elected;
    const begun = performance.now();
    await eventually('three timeouts are over', () => !lease.isValid() || performance.now() > begun + 1800);
    expect(lease.isValid()).toBe(true);
  });

  it('finds its own node when the answer to its creation was lost', async () => {
    const path = newPath();
    const looker = await openTestSession(zookeeper.address);
    const link = await linked();
    const session = await openTestSession(`127.0.0.1:${link.port}`);
    // So that the creation of the candidate's node is the next thing that is sent after the look at the line.
    const { election } = await stand(path);
    await election.elected;
    const create = session.create.bind(session);
    session.create = (...words) => {
      link.swallowAnswers();
      return create(...words);
    };
    const late = elect({ session, path, data: 'late' });
    await eventually('it stands in line', async () => (await looker.getChildren(path)).length === 2);
    link.mend();
    link.cut();
    await eventually('it is connected again', async () => (await session.exists(path)) !== null);
    await election.resign();
    expect((await late.elected).isValid()).toBe(true);
    expect(await looker.getChildren(path)).toHaveLength(1);
  });

  it('is over for a candidate whose session is lost, and it says so', async () => {
    const path = newPath();
    const first = await stand(path);
    await first.election.elected;
    const second = await standBehind(path, 2);
    await zookeeper.expireSession(second.session.credentials);
    await expect(second.election.elected).rejects.toMatchObject({ kind: 'session-lost' });
  });
});

describe('a leader', () => {
  it('is told when its session is ended by force', async () => {
    const path = newPath();
    const first = await stand(path);
    const lease = await first.election.elected;
    const second = await standBehind(path, 2);
    await zookeeper.expireSession(first.session.credentials);
    await second.election.elected;
    expect(await lease.lost).toContain('the ZooKeeper session was lost');
    expect(lease.isValid()).toBe(false);
  });

  it('is told when somebody removes its node', async () => {
    const path = newPath();
    const first = await stand(path);
    const lease = await first.election.elected;
    const [node] = await first.session.getChildren(path);
    const other = await openTestSession(zookeeper.address);
    await other.delete(`${path}/${node}`, -1);
    expect(await lease.lost).toContain(`somebody has removed the leader's node ${path}/${node}`);
  });

  it('S21: that is cut off from ZooKeeper stops before another one starts, which is soon', async () => {
    const path = newPath();
    const link = await linked();
    const first = await stand(path, `127.0.0.1:${link.port}`);
    const lease = await first.election.elected;
    let stoppedAt = 0;
    lease.onLost(() => {
      stoppedAt = performance.now();
    });
    const second = await standBehind(path, 2);
    const cutAt = performance.now();
    link.freeze();
    await second.election.elected;
    const electedAt = performance.now();
    expect(stoppedAt).toBeGreaterThan(cutAt);
    expect(stoppedAt).toBeLessThan(electedAt);
    expect(electedAt - cutAt).toBeLessThan(TIMEOUT_MS + 2000);
  });

  it('outlives a short loss of its connection, and of the server', async () => {
    const link = await linked();
    const first = await stand(newPath(), `127.0.0.1:${link.port}`);
    const lease = await first.election.elected;
    for (let time = 0; time < 3; time += 1) {
      link.cut();
      await first.session.sync('/');
    }
    zookeeper.servers[0]?.pause();
    await sleep(TIMEOUT_MS / 4);
    zookeeper.servers[0]?.resume();
    await first.session.sync('/');
    expect(lease.isValid()).toBe(true);
  });

  it('whose process is killed is followed within its timeout', async () => {
    const path = newPath();
    const leader = startCandidate(program.file, zookeeper.address, path, TIMEOUT_MS);
    await eventually('the process leads', () => leader.leading && leader.lastAct > 0);
    const second = await standBehind(path, 2);
    const killedAt = machineNow();
    leader.child.kill('SIGKILL');
    await second.election.elected;
    expect(machineNow() - killedAt).toBeLessThan(TIMEOUT_MS + 2000);
    expect(leader.lastAct).toBeLessThan(machineNow());
  });

  it('whose process stops in order is followed at once', async () => {
    const path = newPath();
    const leader = startCandidate(program.file, zookeeper.address, path, TIMEOUT_MS);
    await eventually('the process leads', () => leader.leading);
    const second = await standBehind(path, 2);
    const begun = machineNow();
    leader.child.kill('SIGTERM');
    await second.election.elected;
    expect(machineNow() - begun).toBeLessThan(0.75 * TIMEOUT_MS);
  });

  it('whose process is paused and goes on does nothing more', async () => {
    const path = newPath();
    const leader = startCandidate(program.file, zookeeper.address, path, TIMEOUT_MS);
    await eventually('the process leads', () => leader.leading && leader.lastAct > 0);
    const second = await standBehind(path, 2);
    leader.child.kill('SIGSTOP');
    const stoppedAt = machineNow();
    await second.election.elected;
    const electedAt = machineNow();
    leader.child.kill('SIGCONT');
    await eventually('it knows', () => leader.lost !== null);
    expect(leader.lastAct).toBeGreaterThan(stoppedAt - TIMEOUT_MS);
    expect(leader.lastAct).toBeLessThan(electedAt);
  });
});

describe('two at once', () => {
  /**
   * What befalls a candidate. Not a session that is ended by force, or a node that is removed by hand: then the ensemble
   * lets the next one lead at once and tells the old one a moment later, and versions and epochs must do.
   */
  const FAULTS = ['freeze', 'cut', 'mute', 'pause-server', 'resign', 'nothing'] as const;
  const SESSION_MS = 400;
  const ROUNDS = 20;

  it('are never allowed to act, whatever befalls them', async () => {
    // The order of faults is the same each time; what they meet is not.
    let seed = 20_261_126;
    const draw = (count: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * count);
    };
    const path = newPath();
    const held: { readonly by: number; readonly lease: Lease }[] = [];
    const terms = [0, 0, 0];
    const together: string[] = [];
    let fault: (typeof FAULTS)[number] = 'nothing';
    let stopping = false;
    const links = await Promise.all([linked(), linked(), linked()]);
    const sessions: (Session | null)[] = [null, null, null];
    const elections: (Election | null)[] = [null, null, null];

    const candidates = links.map(async (link, index) => {
      while (!stopping) {
        try {
          const session = await openTestSession(`127.0.0.1:${link.port}`, { timeoutMs: SESSION_MS, openMs: 500 });
          sessions[index] = session;
          while (!stopping && session.ended === null) {
            const election = elect({ session, path, data: `candidate ${index}` });
            elections[index] = election;
            const lease = await election.elected;
            held.push({ by: index, lease });
            terms[index] = (terms[index] ?? 0) + 1;
            await lease.lost;
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'ZooKeeperError' });
        }
      }
    });
    const count = (): void => {
      // One instant for all.
      const now = performance.now();
      const valid = held.filter(({ lease }) => lease.isValid(now));
      if (valid.length > 1) together.push(`${valid.map(({ by }) => by).join(' and ')} after ${fault}`);
    };
    const counting = setInterval(count, 1);
    onTestFinished(() => clearInterval(counting));

    for (let round = 0; round < ROUNDS; round += 1) {
      // Mostly the one that leads.
      const leading = held.findLast(({ lease }) => lease.isValid())?.by;
      const victim = draw(4) === 0 ? draw(3) : (leading ?? draw(3));
      const link = links[victim];
      fault = FAULTS[draw(FAULTS.length)] ?? 'nothing';
      if (fault === 'freeze') link?.freeze();
      if (fault === 'mute') link?.swallowAnswers();
      if (fault === 'cut') link?.cut();
      if (fault === 'pause-server') zookeeper.servers[0]?.pause();
      if (fault === 'resign') await elections[victim]?.resign();
      await sleep(50 + draw(600));
      zookeeper.servers[0]?.resume();
      link?.mend();
      if (fault === 'freeze' || fault === 'mute') link?.cut();
    }
    await eventually('somebody leads when all is well', () => held.some(({ lease }) => lease.isValid()));
    stopping = true;
    for (const election of elections) await election?.resign().catch(() => undefined);
    for (const session of sessions) await session?.close();
    await Promise.all(candidates);
    expect(together).toEqual([]);
    expect(held.length).toBeGreaterThan(5);
    expect(Math.min(...terms)).toBeGreaterThan(0);
  });
});
