/** The end of an uninstall: the state goes, the plan says so, and whoever asks as Cosmos does finds out. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PlanView } from '../../framework/index.ts';
import { Erasure } from '../../scheduler/erasure.ts';
import { eventually } from '../fixtures/eventually.ts';
import { fakePlan } from './support/fake-framework.ts';
import { type SchedulerUnderTest, useScheduler } from './support/use-scheduler.ts';

const use = useScheduler();

const kept = (): string[] =>
  readdirSync(join(use.directory, 'state'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );

/** What the framework shows while it uninstalls. */
function plan(status: PlanView['status']): PlanView {
  const { phases, ...rest } = fakePlan('deploy', status);
  return { ...rest, phases: phases.map((phase) => ({ ...phase, id: 'deregister-service' })) };
}

async function deploy(scheduler: SchedulerUnderTest): Promise<{ status: number; erased: unknown }> {
  const { status, json } = await scheduler.get('/v1/plans/deploy');
  const erased = (json as { phases: { name: string; status: string }[] }).phases.find(
    ({ name }) => name === 'erase-state',
  );
  return { status, erased: erased?.status };
}

describe('a scheduler that uninstalls', () => {
  test('is done when its state is empty, and not before', async () => {
    const scheduler = await use.start({ args: ['--uninstall'] });
    scheduler.framework.plans.set('deploy', plan('IN_PROGRESS'));
    expect(await deploy(scheduler)).toEqual({ status: 202, erased: 'PENDING' });
    scheduler.framework.plans.set('deploy', plan('COMPLETE'));
    expect(await deploy(scheduler)).toEqual({ status: 202, erased: 'IN_PROGRESS' });
    expect(kept()).not.toEqual([]);
    scheduler.framework.options.uninstalled();
    await eventually('it says that it is done', async () => (await deploy(scheduler)).status === 200);
    expect(await deploy(scheduler)).toEqual({ status: 200, erased: 'COMPLETE' });
    expect(kept()).toEqual([]);
  });

  test('leaves nothing behind that was written between its last word and its end', async () => {
    const scheduler = await use.start({ args: ['--uninstall'] });
    scheduler.framework.options.uninstalled();
    await eventually('the state is empty', () => kept().length === 0);
    const body = '/svc => /#/io.l5d.marathon ;';
    const written = await fetch(`${scheduler.url}/api/1/dtabs/late`, { method: 'POST', body });
    expect([written.status, kept().length > 0]).toEqual([204, true]);
    await scheduler.stop();
    expect(kept()).toEqual([]);
    expect(scheduler.logs.at(-1)).toMatch(/^stopped/);
  });

  test('that was killed when its state was gone, and is started again, ends the same way', async () => {
    const first = await use.start({ args: ['--uninstall'] });
    first.framework.options.uninstalled();
    await first.stop();
    const again = await use.start({ args: ['--uninstall'] });
    // To whoever had a framework's id before, an empty list would be news.
    again.framework.id = null;
    expect((await again.get('/v1/state/frameworkId')).status).toBe(404);
    again.framework.options.uninstalled();
    await again.stop();
    expect(kept()).toEqual([]);
  });

  test('that does not has a list of one id, or of none', async () => {
    const scheduler = await use.start();
    scheduler.framework.id = null;
    const { status, json } = await scheduler.get('/v1/state/frameworkId');
    expect([status, json]).toEqual([200, []]);
    scheduler.framework.plans.set('deploy', fakePlan('deploy', 'COMPLETE'));
    expect(await deploy(scheduler)).toEqual({ status: 200, erased: undefined });
  });
});

test('a store that cannot be emptied ends the process, and is not said to be empty', async () => {
  const faults: string[] = [];
  const erasure = new Erasure({
    store: { clear: () => Promise.reject(new Error('no quorum')) },
    logger: { info: () => undefined },
    failed: ({ message }) => faults.push(message),
  });
  erasure.begin();
  await erasure.finish();
  expect([faults, erasure.isDone, erasure.shown(plan('COMPLETE')).status]).toEqual([
    ['no quorum'],
    false,
    'IN_PROGRESS',
  ]);
});
