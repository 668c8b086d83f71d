/** `nodemesh shift …`: send an app's requests elsewhere, step by step. */
import { InvalidArgumentError, Option } from 'commander';
import * as z from 'zod/mini';
import { ageOf, formatAge } from '../dashboard/src/model/format.ts';
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
import type { Screen, Tone } from './screen.ts';
import { renderTable } from './table.ts';

const AFTER = `
Without an app the shifts are listed, with an app alone its shift is shown.
Each step is watched for --every: where the target fails more often than the
source, or is much slower, all requests go to the source again.

  nodemesh shift web --to web-v2 --steps 1%,10%,50%,100% --every 5m`;

const shiftSchema = z.object({
  service: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.string(),
  percent: z.number(),
  step: z.nullable(z.number()),
  steps: z.array(z.number()),
  unproven: z.array(z.number()),
  reason: z.nullable(z.string()),
  counted: z.nullable(z.object({ requests: z.number(), failures: z.number() })),
  since: z.string(),
});
type ShiftAnswer = z.infer<typeof shiftSchema>;

const TONES: Readonly<Record<string, Tone>> = {
  running: 'busy',
  paused: 'busy',
  complete: 'good',
  'turned-back': 'bad',
  aborted: 'quiet',
  broken: 'bad',
};

interface Options extends SchedulerOption, TokenOption {
  readonly to?: string;
  readonly steps?: readonly number[];
  readonly every?: string;
  readonly minRequests?: number;
  readonly pause?: true;
  readonly continue?: true;
  readonly abort?: true;
  readonly json?: true;
}

export async function shift(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh shift', "Send an app's requests elsewhere, step by step.", version)
    .argument('[app]', 'the app by whose name clients ask')
    .option('--to <app>', 'begin: where its requests are to go')
    .addOption(new Option('--steps <list>', 'shares, the last 100%').argParser(percents))
    .option('--every <time>', 'how long each step is watched (default 5m)')
    .addOption(new Option('--min-requests <n>', 'fewer to the target prove nothing (default 100)').argParser(Number))
    .addOption(new Option('--pause', 'go no step on').conflicts(['to', 'continue', 'abort']))
    .addOption(new Option('--continue', 'go on after a pause').conflicts(['to', 'abort']))
    .addOption(new Option('--abort', 'send all requests to the source again').conflicts('to'))
    .option('--json', "print the scheduler's answer as it is, for programs")
    .addOption(schedulerOption())
    .addOption(tokenOption())
    .addHelpText('after', AFTER);
  command.parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const [app] = command.args;
  if (app === undefined) return list(options, screen);
  const { to, steps, every, minRequests } = options;
  const path = `v1/shifts/${app.replace(/^\//, '')}`;
  if (to !== undefined)
    return tell('POST', 'v1/shifts', options, screen, { service: app, to, steps, every, minRequests });
  if (options.pause) return tell('POST', `${path}/pause`, options, screen);
  if (options.continue) return tell('POST', `${path}/continue`, options, screen);
  if (options.abort) return tell('DELETE', path, options, screen);
  const { value, raw } = await getJson(options.scheduler, path, shiftSchema, { named: true });
  screen.write(options.json ? asJson(raw) : shown(value));
}

async function list({ scheduler, json }: Options, screen: Screen): Promise<void> {
  const { value, raw } = await getJson(scheduler, 'v1/shifts', z.array(shiftSchema));
  if (json) return screen.write(asJson(raw));
  if (value.length === 0) return screen.write('No traffic was shifted yet.\n');
  const columns = [
    { title: 'APP' },
    { title: 'TO' },
    { title: 'STATE' },
    { title: 'SHARE', align: 'right' },
    { title: 'FOR', align: 'right', optional: 1 },
    { title: 'WHY', shrinkTo: 20 },
  ] as const;
  const rows = value.map(({ service, to, state, percent, since, reason }) => [
    ...[{ text: service }, { text: to }, { text: state, tone: TONES[state] ?? 'busy' }, { text: `${percent} %` }],
    ...[{ text: formatAge(ageOf(since, Date.now())) }, { text: reason ?? '' }],
  ]);
  screen.write(renderTable(columns, rows, screen));
}

async function tell(
  method: 'POST' | 'DELETE',
  path: string,
  options: Options,
  screen: Screen,
  body?: object,
): Promise<void> {
  const { scheduler } = options;
  const request = { method, token: tokenOf(options), ...(body === undefined ? {} : { body }) };
  const reply = await ask(scheduler, path, request);
  if (reply.status === 404) throw new UnknownName(sentenceIn(reply.body));
  if (reply.status !== 200 && reply.status !== 201) throw refusal(scheduler, path, reply);
  const raw: unknown = JSON.parse(reply.body);
  screen.write(options.json ? asJson(raw) : shown(shiftSchema.parse(raw)));
}

function shown({ service, from, to, state, percent, step, steps, unproven, reason, counted }: ShiftAnswer): string {
  const lines = [`${service}: ${percent} % to ${to}, ${100 - percent} % to ${from}`];
  lines.push(
    `  state     ${state}${step === null ? '' : `, step ${step} of ${steps.length} (${steps.map((each) => `${each}%`).join(', ')})`}`,
  );
  if (reason !== null) lines.push(`  reason    ${reason}`);
  if (counted !== null)
    lines.push(`  counted   ${counted.requests} requests to ${to} in this step, ${counted.failures} failed`);
  if (unproven.length > 0) lines.push(`  unproven  ${unproven.map((each) => `${each}%`).join(', ')}: too few requests`);
  return `${lines.join('\n')}\n`;
}

function percents(text: string): number[] {
  const steps = text.split(',').map((each) => Number(each.trim().replace(/\s*%$/, '')));
  if (steps.some((step) => !(step > 0 && step <= 100))) {
    throw new InvalidArgumentError('Give shares with commas between, such as 1%,10%,50%,100%.');
  }
  return steps;
}

const asJson = (raw: unknown): string => `${JSON.stringify(raw, null, 2)}\n`;
