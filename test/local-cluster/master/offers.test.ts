import { describe, expect, it } from 'vitest';
import { lab } from './support/lab.ts';
import { describeAgent, StandInAgent, scalar } from './support/stand-in-agent.ts';
import { info, MODERN, TestFramework } from './support/test-framework.ts';

const STATIC_PUBLIC = [{ type: 'STATIC' as const, role: 'slave_public' }];

describe('a framework with two roles', () => {
  it('is offered an agent in one role at a time, and in the other what it declined in the first', async () => {
    const { clock, master } = await lab(2);
    const roles = ['nodemesh', 'slave_public/nodemesh'];
    const fw = new TestFramework().subscribe(master, info({ roles, capabilities: MODERN }));
    await clock.advance(0);
    expect(fw.offers().map((offer) => offer.allocation_info?.role)).toEqual(roles);
    const held = fw.offers()[0];
    if (held === undefined) throw new Error('an offer was expected');
    fw.decline(held, 3600);
    await clock.advance(2000);
    const again = fw.offers(held.hostname);
    expect(again.map((offer) => offer.allocation_info?.role)).toEqual([roles[1]]);
    fw.call({ type: 'REVIVE', revive: { roles: [roles[0] ?? ''] } });
    fw.decline(fw.offer(held.hostname), 3600);
    await clock.advance(2000);
    expect(fw.offer(held.hostname).allocation_info?.role).toBe(roles[0]);
  });
});

describe('offers', () => {
  it('come at once to a new subscriber, after SUBSCRIBED and HEARTBEAT', async () => {
    const { clock, master } = await lab(2);
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    expect(fw.types()).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
    expect(fw.offers()).toHaveLength(2);
  });

  it('come at once when an agent registers', async () => {
    const { clock, master } = await lab(0);
    const fw = new TestFramework().subscribe(master);
    await clock.advance(100);
    new StandInAgent(clock, describeAgent('127.0.31.9')).join(master);
    await clock.advance(0);
    expect(fw.offers('127.0.31.9')).toHaveLength(1);
  });

  it('hold the resources until they are answered', async () => {
    const { clock, master } = await lab();
    const first = new TestFramework().subscribe(master);
    await clock.advance(0);
    const second = new TestFramework().subscribe(master);
    await clock.advance(5000);
    expect(second.offers()).toHaveLength(0);
    first.decline(first.offer());
    await clock.advance(0);
    expect(second.offers()).toHaveLength(1);
  });

  it('go to the framework with the smallest dominant share first', async () => {
    const { clock, master } = await lab(2);
    const rich = new TestFramework().subscribe(master, info({ name: 'rich', roles: ['a'] }));
    await clock.advance(0);
    const [one, two] = rich.offers();
    if (one === undefined || two === undefined) throw new Error('two offers were expected');
    rich.launch(one, 'big', { resources: [scalar('cpus', 2), scalar('mem', 512)] }, 0);
    rich.decline(two, 0);
    const poor = new TestFramework().subscribe(master, info({ name: 'poor', roles: ['b'] }));
    await clock.advance(0);
    expect(poor.offers()).toHaveLength(2);
    expect(rich.offers()).toHaveLength(0);
  });

  it('spread over frameworks that hold nothing', async () => {
    const { clock, master } = await lab(0);
    const frameworks = ['a', 'b'].map((role) => new TestFramework().subscribe(master, info({ roles: [role] })));
    await clock.advance(0);
    for (const ip of ['127.0.31.1', '127.0.31.2']) new StandInAgent(clock, describeAgent(ip)).join(master);
    await clock.advance(0);
    expect(frameworks.map((framework) => framework.offers().length)).toEqual([1, 1]);
  });

  it('carry statically reserved resources to their role only', async () => {
    const { clock, master } = await lab(0);
    const reserved = {
      resources: [
        scalar('cpus', 1, { reservations: STATIC_PUBLIC }),
        scalar('mem', 64, { reservations: STATIC_PUBLIC }),
      ],
    };
    new StandInAgent(clock, describeAgent('127.0.31.7', reserved)).join(master);
    const plain = new TestFramework().subscribe(master, info({ roles: ['*'] }));
    await clock.advance(2000);
    expect(plain.offers()).toHaveLength(0);
    const both = new TestFramework().subscribe(
      master,
      info({ roles: ['nodemesh', 'slave_public'], capabilities: MODERN }),
    );
    await clock.advance(0);
    expect(both.offer().allocation_info).toEqual({ role: 'slave_public' });
    expect(both.offer().resources?.[0]?.reservations).toEqual(STATIC_PUBLIC);
  });

  it('are in the older shape without RESERVATION_REFINEMENT', async () => {
    const { clock, master } = await lab();
    const older = new TestFramework().subscribe(master);
    await clock.advance(0);
    expect(older.offer().resources?.map((resource) => resource.role)).toEqual(['*', '*', '*', '*']);
    expect(older.offer().resources?.some((resource) => 'reservations' in resource)).toBe(false);
  });
});

describe('filters', () => {
  it('last 5 seconds when nothing is said', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.decline(fw.offer());
    await clock.advance(4900);
    expect(fw.offers()).toHaveLength(0);
    await clock.advance(1100);
    expect(fw.offers()).toHaveLength(1);
  });

  it('of zero seconds still wait for the next allocation interval', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.decline(fw.offer(), 0);
    await clock.advance(500);
    expect(fw.offers()).toHaveLength(0);
    await clock.advance(1500);
    expect(fw.offers()).toHaveLength(1);
  });

  it('hold until REVIVE', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.decline(fw.offer(), 100_000);
    await clock.advance(500_000);
    expect(fw.offers()).toHaveLength(0);
    fw.call({ type: 'REVIVE' });
    await clock.advance(0);
    expect(fw.offers()).toHaveLength(1);
  });

  it('block only offers of no more than what was refused', async () => {
    const { clock, master, agents } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.launch(fw.offer(), 't', {}, 100_000);
    await clock.advance(10_000);
    expect(fw.offers()).toHaveLength(0);
    agents[0]?.report('t' as never, 'TASK_FINISHED');
    await clock.advance(0);
    expect(fw.offers()).toHaveLength(1);
  });

  it('do not keep a new agent from being offered', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.decline(fw.offer(), 100_000);
    new StandInAgent(clock, describeAgent('127.0.31.8')).join(master);
    await clock.advance(0);
    expect(fw.offers('127.0.31.8')).toHaveLength(1);
  });
});

describe('SUPPRESS', () => {
  it('keeps the offers in hand and stops new ones, per role, until REVIVE', async () => {
    const { clock, master } = await lab(2);
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    fw.call({ type: 'SUPPRESS', suppress: { roles: ['*'] } });
    await clock.advance(1000);
    expect(fw.types()).not.toContain('RESCIND');
    fw.decline(fw.offer(), 1);
    await clock.advance(10_000);
    expect(fw.offers()).toHaveLength(1);
    fw.call({ type: 'REVIVE', revive: { roles: ['*'] } });
    await clock.advance(0);
    expect(fw.offers()).toHaveLength(2);
  });

  it('can be said at SUBSCRIBE', async () => {
    const { clock, master } = await lab();
    const fw = new TestFramework().subscribe(master, info(), ['*']);
    await clock.advance(5000);
    expect(fw.offers()).toHaveLength(0);
  });
});

describe('an agent with a fault domain', () => {
  it('shows region and zone in its offers and to the operator', async () => {
    const { clock, master } = await lab(0);
    const domain = { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } };
    new StandInAgent(clock, describeAgent('127.0.31.1', { domain })).join(master);
    const fw = new TestFramework().subscribe(master);
    await clock.advance(0);
    expect(fw.offer().domain).toEqual(domain);
    expect(master.getAgents().agents[0]?.agent_info.domain).toEqual(domain);
  });
});
