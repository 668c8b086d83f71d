/** How the ends of stories are told. */
import { expect, test } from 'vitest';
import { tellAll } from './run.ts';
import type { Story } from './stories.ts';
import { type Outcome, Skipped } from './types.ts';

class Scene {
  readonly said: string[] = [];
  doubles: string[] = [];
  say(line: string): void {
    this.said.push(line);
  }
  requireSingles(): void {
    const [double] = this.doubles.splice(0);
    if (double !== undefined) throw new Error(double);
  }
}

function story(name: string, deed: (scene: Scene) => void = () => undefined): Story<Scene> {
  return { name, what: name, tell: async (scene) => deed(scene) };
}

const fails = (error: Error) => (): never => {
  throw error;
};
const told = (outcomes: readonly Outcome[]) => outcomes.map(({ name, result, reason }) => [name, result, reason]);

test('each has its end, whatever became of the others', async () => {
  const stories = [
    story('coverage'),
    story('failing', fails(new Error('why'))),
    story('doubling', (scene) => scene.doubles.push('two tasks')),
    story('skipping', fails(new Skipped('needs --it'))),
    story('last'),
  ];
  expect(told(await tellAll(stories, new Scene(), new AbortController().signal))).toEqual([
    ['coverage', 'passed', undefined],
    ['failing', 'failed', 'why'],
    ['doubling', 'failed', 'two tasks'],
    ['skipping', 'skipped', 'needs --it'],
    ['last', 'passed', undefined],
  ]);
});

test('without coverage there is nothing to tell, and after an interruption neither', async () => {
  const signal = new AbortController().signal;
  const uncovered = [story('coverage', fails(new Error('no offer'))), story('uninstall', fails(new Error('told')))];
  expect(told(await tellAll(uncovered, new Scene(), signal))).toEqual([
    ['coverage', 'failed', 'no offer'],
    ['uninstall', 'skipped', 'the agents are not covered'],
  ]);
  const interruption = new AbortController();
  const stories = [story('coverage', () => interruption.abort()), story('more', fails(new Error('told')))];
  expect(told(await tellAll(stories, new Scene(), interruption.signal))).toEqual([
    ['coverage', 'passed', undefined],
    ['more', 'skipped', 'interrupted'],
  ]);
});
