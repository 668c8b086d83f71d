/** Plans, the freeze and health as operators and DC/OS' tools use them: paths, status codes and bodies. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PlanStatus } from '../../../framework/index.ts';
import { fakePlan } from '../support/fake-framework.ts';
import { type SchedulerUnderTest, useScheduler } from '../support/use-scheduler.ts';

const use = useScheduler();

async function post(scheduler: SchedulerUnderTest, path: string, body?: unknown) {
  const response = await fetch(`${scheduler.url}${path}`, {
    method: 'POST',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('application/json') ?? false;
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

async function withPlans(): Promise<SchedulerUnderTest> {
  const scheduler = await use.start();
  scheduler.framework.plans.set('deploy', fakePlan('deploy', 'COMPLETE', 'COMPLETE'));
  scheduler.framework.plans.set('update', fakePlan('update', 'COMPLETE', 'IN_PROGRESS', 'PENDING'));
  return scheduler;
}

describe('reads', () => {
  test('name the plans, and show each as the SDK does', async () => {
    const scheduler = await withPlans();
    expect((await scheduler.get('/v1/plans')).json).toEqual(['deploy', 'update']);
    const { status, json } = await scheduler.get('/v1/plans/update');
    expect(status).toBe(202);
    expect(json).toEqual({
      phases: [
        {
          id: 'update-1',
          name: 'nodes',
          strategy: 'serial',
          status: 'IN_PROGRESS',
          steps: [
            { id: 'S1', name: 'node1.example', status: 'COMPLETE', message: '' },
            { id: 'S2', name: 'node2.example', status: 'IN_PROGRESS', message: '' },
            { id: 'S3', name: 'node3.example', status: 'PENDING', message: '' },
          ],
        },
      ],
      errors: [],
      strategy: 'serial',
      status: 'IN_PROGRESS',
    });
  });

  test.each<[number, PlanStatus]>([
    [200, 'COMPLETE'],
    [202, 'IN_PROGRESS'],
    [202, 'PENDING'],
    [202, 'WAITING'],
    [417, 'ERROR'],
  ])('answer %i to a plan that is %s', async (status, of) => {
    const scheduler = await use.start();
    scheduler.framework.plans.set('deploy', fakePlan('deploy', of));
    expect((await scheduler.get('/v1/plans/deploy')).status).toBe(status);
  });

  test('answer 417 to a plan with errors, and 404 in plain text to one that is not there', async () => {
    const scheduler = await withPlans();
    scheduler.framework.plans.set('deploy', { ...fakePlan('deploy', 'COMPLETE'), errors: ['no'] });
    expect((await scheduler.get('/v1/plans/deploy')).status).toBe(417);
    const { status, text, headers } = await scheduler.get('/v1/plans/depoly');
    expect([status, text]).toEqual([404, 'there is no plan depoly; there are deploy, update\n']);
    expect(headers.get('content-type')).toContain('text/plain');
  });
});

describe('commands', () => {
  test.each(['start', 'stop', 'continue', 'interrupt', 'restart', 'forceComplete'] as const)(
    '%s goes to the framework with its phase and step',
    async (verb) => {
      const scheduler = await withPlans();
      expect(await post(scheduler, `/v1/plans/update/${verb}?phase=nodes&step=S2`)).toEqual({
        status: 200,
        body: { message: 'done' },
      });
      expect(await post(scheduler, `/v1/plans/update/${verb}`)).toMatchObject({ status: 200 });
      expect(scheduler.framework.commands).toEqual([
        { plan: 'update', verb, phase: 'nodes', step: 'S2' },
        { plan: 'update', verb },
      ]);
      expect(scheduler.logs.join('\n')).toContain('a command for a plan');
    },
  );

  test('are answered 208 when it is so already, 404 in plain text, and 409 when they make no sense', async () => {
    const scheduler = await withPlans();
    scheduler.framework.outcome = { kind: 'already', message: 'interrupted already' };
    expect(await post(scheduler, '/v1/plans/update/interrupt')).toEqual({
      status: 208,
      body: { message: 'interrupted already' },
    });
    scheduler.framework.outcome = { kind: 'not-found', message: 'there is no phase x' };
    expect(await post(scheduler, '/v1/plans/update/interrupt?phase=x')).toEqual({
      status: 404,
      body: 'there is no phase x\n',
    });
    scheduler.framework.outcome = { kind: 'invalid', message: 'it is over' };
    expect(await post(scheduler, '/v1/plans/update/restart')).toEqual({ status: 409, body: { error: 'it is over' } });
  });

  test('need the phase of a step, and take each once', async () => {
    const scheduler = await withPlans();
    expect(await post(scheduler, '/v1/plans/update/restart?step=S1')).toMatchObject({ status: 400 });
    expect(await post(scheduler, '/v1/plans/update/restart?phase=a&phase=b')).toMatchObject({ status: 400 });
    expect(scheduler.framework.commands).toEqual([]);
  });

  test('start takes parameters, and says that they change nothing', async () => {
    const scheduler = await withPlans();
    expect(await post(scheduler, '/v1/plans/deploy/start', {})).toEqual({ status: 200, body: { message: 'done' } });
    expect(await post(scheduler, '/v1/plans/deploy/start', { MY_1: 'x', _b: 'y' })).toEqual({
      status: 200,
      body: { message: 'done (no plan here takes parameters: MY_1, _b)' },
    });
    for (const bad of [{ 'MY-1': 'x' }, { '1A': 'x' }, { A: 1 }, ['A'], '{"A":']) {
      const answer = await post(scheduler, '/v1/plans/deploy/start', bad);
      expect(answer, JSON.stringify(bad)).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    }
    expect(await post(scheduler, '/v1/plans/deploy/start', { 'MY-1': 'x' })).toMatchObject({
      body: { error: "parameter 'MY-1' is not a name like MY_PARAMETER" },
    });
    expect(scheduler.framework.commands).toHaveLength(2);
  });

  test('that do not exist are 404', async () => {
    expect(await post(await withPlans(), '/v1/plans/deploy/explode')).toMatchObject({ status: 404 });
  });

  test('need the token off loopback; reads do not', async () => {
    writeFileSync(join(use.directory, 'token'), 'a-token-of-enough-length');
    const scheduler = await use.start({
      args: ['--listen=0.0.0.0:0', '--advertise=http://x', `--api-token-file=${join(use.directory, 'token')}`],
    });
    scheduler.framework.plans.set('deploy', fakePlan('deploy', 'COMPLETE'));
    const ask = async (path: string, method: string, token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`${scheduler.running.url}${path}`, { method, headers });
      await response.arrayBuffer();
      return response.status;
    };
    for (const path of ['/v1/plans/deploy/stop', '/v1/freeze', '/v1/thaw']) {
      expect(await ask(path, 'POST')).toBe(401);
    }
    expect(scheduler.framework.commands).toEqual([]);
    expect(scheduler.framework.frozen).toBe(false);
    expect(await ask('/v1/plans/deploy', 'GET')).toBe(200);
    expect(await ask('/v1/freeze', 'GET')).toBe(200);
    expect(await ask('/v1/freeze', 'POST', 'a-token-of-enough-length')).toBe(200);
  });
});

describe('the freeze', () => {
  test('is set and taken off, and 208 says that it was so already', async () => {
    const scheduler = await use.start();
    expect((await scheduler.get('/v1/freeze')).json).toEqual({ frozen: false });
    expect(await post(scheduler, '/v1/freeze', { why: 'peak hours' })).toEqual({
      status: 200,
      body: { frozen: true, message: 'frozen' },
    });
    expect(scheduler.logs.join('\n')).toContain('peak hours');
    expect(await post(scheduler, '/v1/freeze')).toMatchObject({ status: 208, body: { frozen: true } });
    expect((await scheduler.get('/v1/freeze')).json).toEqual({ frozen: true });
    expect((await scheduler.get('/v1/health')).json).toMatchObject({ frozen: true });
    expect(scheduler.framework.frozen).toBe(true);
    expect(await post(scheduler, '/v1/thaw')).toMatchObject({ status: 200, body: { frozen: false } });
    expect(await post(scheduler, '/v1/thaw')).toMatchObject({ status: 208 });
    expect(scheduler.framework.frozen).toBe(false);
    expect(await post(scheduler, '/v1/freeze', { why: 3 })).toMatchObject({ status: 400 });
    scheduler.framework.uninstalling = true;
    expect(await post(scheduler, '/v1/freeze')).toMatchObject({
      status: 409,
      body: { error: 'everything is being uninstalled' },
    });
  });
});

describe('health', () => {
  test.each<[number, Record<string, PlanStatus>]>([
    [200, { deploy: 'COMPLETE', recovery: 'COMPLETE' }],
    [202, { deploy: 'IN_PROGRESS', recovery: 'PENDING' }],
    [203, { deploy: 'COMPLETE', recovery: 'PENDING' }],
    [204, { deploy: 'PENDING' }],
    [205, { recovery: 'IN_PROGRESS' }],
    [202, { recovery: 'IN_PROGRESS', update: 'IN_PROGRESS' }],
    [207, { deploy: 'COMPLETE', update: 'WAITING' }],
    [500, { deploy: 'IN_PROGRESS', update: 'ERROR' }],
  ])("is the SDK's %i in the body for %j, and always 200", async (value, plans) => {
    const scheduler = await use.start();
    for (const [name, status] of Object.entries(plans)) scheduler.framework.plans.set(name, fakePlan(name, status));
    const { status, json } = await scheduler.get('/v1/health');
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'ok', value, plans });
  });

  test('tells that Mesos has never been reached', async () => {
    const scheduler = await use.start();
    scheduler.framework.id = null;
    expect((await scheduler.get('/v1/health')).json).toMatchObject({
      value: 318,
      reasons: ['not registered with Mesos yet'],
    });
  });
});
