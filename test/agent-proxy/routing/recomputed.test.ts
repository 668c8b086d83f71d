import { expect, it } from 'vitest';
import { type Activity, Var } from '../../../agent-proxy/routing/activity.ts';
import { Recomputed } from '../../../agent-proxy/routing/recomputed.ts';

it('a value follows the activities that it is computed from', () => {
  const [left, right] = [new Var<number>({ kind: 'ok', value: 1 }), new Var<number>({ kind: 'ok', value: 2 })];
  const sum = new Recomputed(
    (watch) => {
      const [a, b] = [watch(left), watch(right)];
      return a.kind === 'ok' && b.kind === 'ok' ? { kind: 'ok', value: a.value + b.value } : { kind: 'pending' };
    },
    (a, b) => a === b,
  );
  const seen: unknown[] = [];
  const stop = sum.observe(() => seen.push(sum.state));
  expect(sum.state).toEqual({ kind: 'ok', value: 3 });
  left.ok(5);
  right.ok(2);
  stop();
  right.ok(9);
  expect(seen).toEqual([{ kind: 'ok', value: 7 }]);
  sum.observe(() => undefined);
  expect(sum.state).toEqual({ kind: 'ok', value: 14 });
});

it('an activity that changes whenever it is looked at is not looked at for ever', () => {
  let tell = (): void => undefined;
  let looks = 0;
  const restless: Activity<number> = {
    get state() {
      looks += 1;
      tell();
      return { kind: 'ok' as const, value: looks };
    },
    observe: (listener) => {
      tell = listener;
      return () => undefined;
    },
  };
  const value = new Recomputed((watch) => watch(restless), Object.is);
  value.observe(() => undefined);
  expect(value.state).toEqual({ kind: 'ok', value: 100 });
});

it('a failure of the computation itself leaves it able to go on', () => {
  const source = new Var<number>({ kind: 'ok', value: 1 });
  let isBroken = true;
  const value = new Recomputed((watch) => {
    const state = watch(source);
    if (isBroken) throw new Error('a fault in a namer');
    return state;
  }, Object.is);
  expect(() => value.observe(() => undefined)).toThrow('a fault in a namer');
  isBroken = false;
  value.observe(() => undefined);
  expect(value.state).toEqual({ kind: 'ok', value: 1 });
});
