/** `nodemesh plan …`: what the scheduler is doing, and to have it go on, wait or begin anew. */
import type { Command } from 'commander';
import * as z from 'zod/mini';
import type { PlanVerb } from '../../framework/index.ts';
import { ask, getJson, refusal, sentenceIn } from './http.ts';
import {
  newCommand,
  type SchedulerOption,
  schedulerOption,
  type TokenOption,
  tokenOf,
  tokenOption,
} from './options.ts';
import { UnknownName } from './outcome.ts';
import { lookOf, planAnswerSchema, planTree, stepsDone } from './plan-tree.ts';
import type { Screen } from './screen.ts';
import { renderTable } from './table.ts';

/** 202 says that a plan is not complete, 417 that it has errors: all are answers. */
const PLAN_STATUSES = [202, 417];

const VERBS: Readonly<Record<string, readonly [verb: PlanVerb, summary: string]>> = {
  start: ['start', 'Begin a plan, or go on after a stop'],
  stop: ['stop', 'Stop a plan: what has begun ends, nothing new begins'],
  continue: ['continue', 'Let a plan that waits go on'],
  interrupt: ['interrupt', 'Have a plan wait before its next step'],
  restart: ['restart', 'Do a plan, a phase or a step again'],
  'force-complete': ['forceComplete', 'Take a plan, a phase or a step for done, whatever its state'],
};

const AFTER = `
deploy puts a proxy on every agent, recovery brings back what was lost, update
goes over to a new version. Phases and steps are named as by plan show.`;

interface ReadOptions extends SchedulerOption {
  readonly json?: true;
}

interface WriteOptions extends ReadOptions, TokenOption {
  readonly phase?: string;
  readonly step?: string;
}

export async function plan(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh plan', 'Show the plans of the scheduler, and steer them.', version);
  command.addHelpText('after', AFTER);
  const room = (name: string, summary: string): Command =>
    command
      .command(name)
      .description(summary)
      .allowExcessArguments(false)
      .addOption(schedulerOption())
      .option('--json', "print the scheduler's answer as it is, for programs");

  room('list', 'List the plans').action((options: ReadOptions) => list(options, screen));
  room('show', 'Show a plan with its phases and steps')
    .argument('[plan]', 'the plan', 'deploy')
    .action((name: string, options: ReadOptions) => show(name, options, screen));
  for (const [word, [verb, summary]] of Object.entries(VERBS)) {
    room(word, summary)
      .argument('<plan>', 'the plan')
      .option('--phase <name>', 'only this phase of it')
      .option('--step <name>', 'only this step of the phase')
      .addOption(tokenOption())
      .action((name: string, options: WriteOptions) => tell(name, verb, options, screen));
  }
  await command.parseAsync(args.length === 0 ? ['list'] : [...args], { from: 'user' });
}

async function list({ scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const { value: names, raw } = await getJson(scheduler, 'v1/plans', z.array(z.string()));
  if (json) return screen.write(asJson(raw));
  const rows = await Promise.all(
    names.map(async (name) => {
      const { value } = await getJson(scheduler, pathOf(name), planAnswerSchema, { statuses: PLAN_STATUSES });
      const { word, tone } = lookOf(value.status);
      const { done, all } = stepsDone(value);
      return [{ text: name }, { text: word, tone }, { text: `${done} of ${all}` }];
    }),
  );
  screen.write(renderTable([{ title: 'PLAN' }, { title: 'STATUS' }, { title: 'STEPS DONE' }], rows, screen));
}

async function show(name: string, { scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const options = { statuses: PLAN_STATUSES, named: true } as const;
  const { value, raw } = await getJson(scheduler, pathOf(name), planAnswerSchema, options);
  screen.write(json ? asJson(raw) : planTree(name, value, screen));
}

async function tell(name: string, verb: PlanVerb, options: WriteOptions, screen: Screen): Promise<void> {
  const { scheduler, phase, step, json } = options;
  if (step !== undefined && phase === undefined) throw new UnknownName('--step needs the --phase that it is in');
  const query = new URLSearchParams({
    ...(phase === undefined ? {} : { phase }),
    ...(step === undefined ? {} : { step }),
  }).toString();
  const path = `${pathOf(name)}/${verb}${query === '' ? '' : `?${query}`}`;
  const reply = await ask(scheduler, path, { method: 'POST', token: tokenOf(options) });
  if (reply.status === 404) throw new UnknownName(sentenceIn(reply.body));
  if (reply.status !== 200 && reply.status !== 208) throw refusal(scheduler, path, reply);
  screen.write(json ? `${reply.body.trim()}\n` : `${sentenceIn(reply.body)}\n`);
}

const pathOf = (name: string): string => `v1/plans/${encodeURIComponent(name)}`;

const asJson = (raw: unknown): string => `${JSON.stringify(raw, null, 2)}\n`;
