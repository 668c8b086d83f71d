/** When Marathon is asked for what: no doubt is lost, and no storm asks too fast. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FETCH_LIMITS, FetchPlan } from '../../../scheduler/discovery/fetch-plan.ts';

const app = (name: string) => ({ kind: 'app' as const, name });

describe('the plan', () => {
  test('is idle without doubts, and waits a moment for more of them', () => {
    const plan = new FetchPlan();
    expect(plan.next(0)).toEqual({ kind: 'idle' });
    plan.doubt(app('web'), 100);
    expect(plan.next(100)).toEqual({ kind: 'wait', ms: 50 });
    plan.doubt(app('api'), 130);
    plan.doubt(app('web'), 140);
    expect(plan.next(150)).toEqual({ kind: 'apps', names: ['web', 'api'] });
    expect(plan.next(150)).toEqual({ kind: 'idle' });
  });

  test('asks for everything when many apps are doubtful', () => {
    const plan = new FetchPlan();
    for (let n = 0; n <= FETCH_LIMITS.singleApps; n++) plan.doubt(app(`a${n}`), 0);
    expect(plan.next(50)).toEqual({ kind: 'list' });
    expect(plan.next(50)).toEqual({ kind: 'idle' });
  });

  test('lets single apps through while a list has to wait', () => {
    const plan = new FetchPlan();
    plan.demandList(0);
    expect(plan.next(0)).toEqual({ kind: 'list' });
    plan.listTook(2_000, 2_000);
    plan.doubt({ kind: 'all' }, 2_000);
    plan.doubt(app('web'), 2_000);
    expect(plan.next(2_050)).toEqual({ kind: 'apps', names: ['web'] });
    expect(plan.next(2_050)).toEqual({ kind: 'wait', ms: 19_950 });
    expect(plan.next(22_000)).toEqual({ kind: 'list' });
  });

  test('slows down under a long storm about one app', () => {
    const plan = new FetchPlan();
    let asked = 0;
    for (let now = 0; now < 60_000; now += 5) {
      plan.doubt(app('web'), now);
      if (plan.next(now).kind === 'apps') asked++;
    }
    const { burst, refillPerSecond } = FETCH_LIMITS;
    expect(asked).toBeLessThanOrEqual(burst + 60 * refillPerSecond + 1);
    expect(asked).toBeGreaterThan(60 * refillPerSecond);
  });

  test('answers every doubt, after it arose', () => {
    const doubt = fc.record({
      name: fc.constantFrom('a', 'b', 'c/tasks', 'd', ...'efghijklm'),
      all: fc.boolean(),
      gap: fc.nat(200),
    });
    fc.assert(
      fc.property(fc.array(doubt, { maxLength: 60 }), (doubts) => {
        const plan = new FetchPlan();
        const open = new Set<string>();
        let now = 0;
        const ask = (): void => {
          const step = plan.next(now);
          if (step.kind === 'list') open.clear();
          if (step.kind === 'apps') {
            for (const name of step.names) {
              expect(name).not.toBe('c/tasks');
              open.delete(name);
            }
          }
        };
        for (const { name, all, gap } of doubts) {
          now += gap;
          open.add(all ? '*' : name);
          plan.doubt(all && name === 'a' ? { kind: 'all' } : app(name), now);
          if (all && name !== 'a') open.delete('*');
          if (all && name !== 'a') open.add(name);
          ask();
        }
        for (let n = 0; n < 40; n++) {
          now += 500;
          ask();
        }
        expect([...open]).toEqual([]);
        expect(plan.next(now)).toEqual({ kind: 'idle' });
      }),
    );
  });
});
