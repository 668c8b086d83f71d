/** `nodemesh config …`: the configuration of the proxies, its revisions, and a new one. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import * as z from 'zod/mini';
import { jsonIn, readText } from './given.ts';
import { ask, getJson, refusal, sentenceIn } from './http.ts';
import {
  newCommand,
  type SchedulerOption,
  schedulerOption,
  type TokenOption,
  tokenOf,
  tokenOption,
} from './options.ts';
import { QuietEnd } from './outcome.ts';
import type { Screen, Tone } from './screen.ts';
import { printable, renderTable } from './table.ts';

const revisionSchema = z.object({
  revision: z.number(),
  status: z.string(),
  at: z.string(),
  author: z.nullable(z.string()),
  note: z.nullable(z.string()),
  why: z.nullable(z.string()),
});
const shownSchema = z.extend(revisionSchema, { config: z.unknown(), effective: z.unknown() });
const changeSchema = z.object({
  from: z.nullable(z.number()),
  diff: z.nullable(
    z.array(z.object({ path: z.string(), before: z.optional(z.unknown()), after: z.optional(z.unknown()) })),
  ),
});
const begunSchema = z.object({ revision: z.number(), warnings: z._default(z.array(z.string()), []) });
const faultsSchema = z.object({
  errors: z.array(z.object({ path: z.string(), line: z.number(), column: z.number(), message: z.string() })),
});

const TONES: Readonly<Record<string, Tone>> = {
  ...{ completed: 'good', unproven: 'busy', running: 'busy', bad: 'bad', aborted: 'quiet' },
};

const AFTER = `
A new configuration goes out by a plan: a canary, then shares of the nodes, then
all. nodemesh plan show config shows it, plan interrupt, continue and
force-complete steer it, config abort turns it back. One that does harm is turned
back by itself.`;

interface ReadOptions extends SchedulerOption {
  readonly json?: true;
}

interface RolloutOptions extends ReadOptions, TokenOption {
  readonly note?: string;
  readonly canary?: string;
  readonly steps?: string;
  readonly window?: string;
  readonly minRequests?: string;
  readonly maxUnavailable?: string;
  readonly strict?: true;
  readonly onlyIf?: string;
}

export async function config(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh config', 'Show the configuration of the proxies, and change it.', version);
  command.addHelpText('after', AFTER);
  const room = (name: string, summary: string): Command =>
    command
      .command(name)
      .description(summary)
      .allowExcessArguments(false)
      .addOption(schedulerOption())
      .option('--json', "print the scheduler's answer as it is, for programs");
  const change = (name: string, summary: string): Command =>
    room(name, summary)
      .addOption(tokenOption())
      .option('--note <text>', 'why')
      .option('--canary <nodes>', 'nodes of the first step (default: 1)')
      .option('--steps <shares>', 'shares of the nodes, in percent (default: 10,50,100)')
      .option('--window <time>', 'how long each step is looked at (default: 30s)')
      .option('--min-requests <number>', 'with fewer a step is not proven (default: 100)')
      .option('--max-unavailable <nodes>', 'nodes that are changed at a time (default: 1)');

  room('show', 'Show the configuration, or one of its revisions, as YAML')
    .argument('[revision]')
    .option('--effective', 'with all that it leaves out')
    .action((revision: string | undefined, options: ReadOptions & { effective?: true }) =>
      show(revision, options, screen),
    );
  room('revisions', 'List the revisions').action((options: ReadOptions) => revisions(options, screen));
  room('diff', 'Show what a revision changed')
    .argument('<revision>')
    .action((revision: string, options: ReadOptions) => diff(revision, options, screen));
  change('set', 'Roll out a configuration (YAML or JSON)')
    .argument('<file>', 'the file; - for standard input')
    .option('--strict', 'refuse it when a name in it does not bind')
    .option('--only-if <revision>', 'refuse it unless this revision is what all nodes have')
    .action((file: string, options: RolloutOptions) => set(file, options, screen));
  change('rollback', 'Roll out what an earlier revision said')
    .argument('<revision>')
    .action((revision: string, options: RolloutOptions) => rollback(revision, options, screen));
  room('abort', 'Turn back the revision that is under way')
    .addOption(tokenOption())
    .action((options: ReadOptions & TokenOption) => abort(options, screen));
  await command.parseAsync(args.length === 0 ? ['show'] : [...args], { from: 'user' });
}

async function show(
  revision: string | undefined,
  { scheduler, json, effective }: ReadOptions & { effective?: true },
  screen: Screen,
): Promise<void> {
  const path = revision === undefined ? 'v1/config' : pathOf(revision);
  const { value, raw } = await getJson(scheduler, path, shownSchema, { named: true });
  if (json) return screen.write(asJson(raw));
  const note = value.note === null ? '' : `: ${printable(value.note)}`;
  screen.write(`# revision ${value.revision} (${printable(value.status)})${note}\n`);
  screen.write(stringify(effective ? value.effective : value.config));
}

async function revisions({ scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const { value, raw } = await getJson(scheduler, 'v1/config/revisions', z.array(revisionSchema));
  if (json) return screen.write(asJson(raw));
  const columns = [
    ...[{ title: 'REVISION' }, { title: 'STATUS' }, { title: 'WHEN', optional: 2 }, { title: 'WHO', optional: 1 }],
    { title: 'NOTE', shrinkTo: 10 },
  ];
  const rows = value.map(({ revision, status, at, author, note, why }) => [
    { text: String(revision) },
    { text: status, tone: TONES[status] ?? 'busy' },
    { text: at },
    { text: author ?? '' },
    { text: [note, why].filter((text) => text !== null).join('; ') },
  ]);
  screen.write(renderTable(columns, rows, screen));
}

async function diff(revision: string, { scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const { value, raw } = await getJson(scheduler, pathOf(revision), changeSchema, { named: true });
  if (json) return screen.write(asJson(raw));
  if (value.diff === null) {
    screen.write(`what revision ${revision} changed is not known any more: revision ${value.from} is forgotten\n`);
    return;
  }
  for (const { path, before, after } of value.diff) {
    const place = printable(path === '' ? 'configuration' : path);
    if (before !== undefined) screen.write(screen.paint('bad', `- ${place}: ${printable(JSON.stringify(before))}\n`));
    if (after !== undefined) screen.write(screen.paint('good', `+ ${place}: ${printable(JSON.stringify(after))}\n`));
  }
}

async function set(file: string, options: RolloutOptions, screen: Screen): Promise<void> {
  const { scheduler, strict, onlyIf } = options;
  const path = `v1/config?${queryOf(options, strict ? { strict: 'true' } : {})}`;
  const reply = await ask(scheduler, path, {
    method: 'PUT',
    token: tokenOf(options),
    text: { type: 'application/yaml', content: readText(file) },
    ifMatch: onlyIf === undefined ? null : `"${onlyIf}"`,
  });
  const faults = reply.status === 400 ? faultsSchema.safeParse(jsonIn(reply.body)) : null;
  if (faults?.success) {
    for (const { path: place, line, column, message } of faults.data.errors) {
      const what = place === '' ? message : `${place}: ${message}`;
      screen.write(`${file === '-' ? 'standard input' : file}:${line}:${column}: ${printable(what)}\n`);
    }
    throw new QuietEnd(1);
  }
  begun(reply, scheduler, path, options, screen);
}

async function rollback(revision: string, options: RolloutOptions, screen: Screen): Promise<void> {
  const path = `v1/config/rollback?${queryOf(options, {})}`;
  const body = { revision: Number(revision) };
  const reply = await ask(options.scheduler, path, { method: 'POST', token: tokenOf(options), body });
  begun(reply, options.scheduler, path, options, screen);
}

async function abort(options: ReadOptions & TokenOption, screen: Screen): Promise<void> {
  const path = 'v1/config/abort';
  const reply = await ask(options.scheduler, path, { method: 'POST', token: tokenOf(options) });
  if (reply.status !== 202) throw refusal(options.scheduler, path, reply);
  screen.write(options.json ? `${reply.body.trim()}\n` : `${sentenceIn(reply.body)}\n`);
}

function begun(
  reply: Awaited<ReturnType<typeof ask>>,
  scheduler: URL,
  path: string,
  { json }: ReadOptions,
  screen: Screen,
): void {
  if (reply.status !== 202) throw refusal(scheduler, path.replace(/\?.*$/, ''), reply);
  if (json) return screen.write(`${reply.body.trim()}\n`);
  const { revision, warnings } = begunSchema.parse(jsonIn(reply.body));
  for (const warning of warnings) screen.write(`${screen.paint('busy', 'warning')} ${printable(warning)}\n`);
  screen.write(`revision ${revision} goes out; nodemesh plan show config shows how far it is\n`);
}

function queryOf(options: RolloutOptions, more: Readonly<Record<string, string>>): string {
  const { note, canary, steps, window, minRequests, maxUnavailable } = options;
  const given = Object.entries({ note, canary, steps, window, minRequests, maxUnavailable, author: authorOf() });
  const kept = given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return new URLSearchParams({ ...Object.fromEntries(kept), ...more }).toString();
}

/** For the record alone: nobody is let in for it. */
function authorOf(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A user without a name, in a container.
    return undefined;
  }
}

const pathOf = (revision: string): string => `v1/config/revisions/${encodeURIComponent(revision)}`;

const asJson = (raw: unknown): string => `${JSON.stringify(raw, null, 2)}\n`;
