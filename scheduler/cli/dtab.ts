/** `nodemesh dtab …`: the namespaces of dtabs, their history, and the way back. */
import type { Command } from 'commander';
import * as z from 'zod/mini';
import { ageOf, formatAge } from '../dashboard/src/model/format.ts';
import { edited } from './dtab-edit.ts';
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
import { UnknownName } from './outcome.ts';
import type { Screen } from './screen.ts';
import { renderTable } from './table.ts';

const AFTER = `
A dtab is a list of rules, prefix => destination, with ; between. The last that
matches comes first. get prints the version in its first line; set takes a file
that begins so only if the namespace is still at that version.`;

const versionSchema = z.object({
  version: z.number(),
  etag: z.string(),
  dtab: z.nullable(z.string()),
  at: z.string(),
  by: z.string(),
  what: z.string(),
});
const namespacesSchema = z.array(
  z.object({ name: z.string(), version: z.number(), dentries: z.number(), at: z.string(), by: z.string() }),
);
const revertedSchema = z.object({ version: z.number(), revertedTo: z.number(), deleted: z.boolean() });
const refusedSchema = z.object({ names: z.array(z.string()), more: z.number() });

interface ReadOptions extends SchedulerOption {
  readonly json?: true;
}
interface WriteOptions extends SchedulerOption, TokenOption {
  readonly force?: true;
}

export async function dtab(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh dtab', 'Show and change how names are routed.', version);
  command.addHelpText('after', AFTER);
  const room = (name: string, summary: string): Command =>
    command.command(name).description(summary).allowExcessArguments(false).addOption(schedulerOption());
  const read = (name: string, summary: string): Command =>
    room(name, summary).option('--json', "print the scheduler's answer as it is, for programs");
  const write = (name: string, summary: string): Command =>
    room(name, summary)
      .addOption(tokenOption())
      .option('--force', 'also where names that clients ask for would no longer bind');

  read('list', 'List the namespaces').action((options: ReadOptions) => list(options, screen));
  read('get', 'Print the dtab of a namespace')
    .argument('[namespace]', 'the namespace', 'default')
    .action((name: string, options: ReadOptions) => get(name, options, screen));
  write('set', 'Make a file the dtab of a namespace')
    .argument('<namespace>', 'the namespace; it is made where there is none')
    .argument('[file]', 'the file, - for standard input', '-')
    .action((name: string, file: string, options: WriteOptions) => set(name, file, options, screen));
  write('edit', 'Open the dtab of a namespace in $VISUAL or $EDITOR, and make what is saved the dtab')
    .argument('[namespace]', 'the namespace', 'default')
    .action((name: string, options: WriteOptions) => edit(name, options, screen));
  write('delete', 'Delete a namespace; revert brings it back')
    .argument('<namespace>', 'the namespace')
    .action((name: string, options: WriteOptions) => remove(name, options, screen));
  read('history', 'List the versions of a namespace')
    .argument('[namespace]', 'the namespace', 'default')
    .action((name: string, options: ReadOptions) => history(name, options, screen));
  write('revert', 'Go back to the version before, or to any that history lists')
    .argument('<namespace>', 'the namespace')
    .argument('[version]', 'the version')
    .action((name: string, to: string | undefined, options: WriteOptions) => revert(name, to, options, screen));
  await command.parseAsync(args.length === 0 ? ['list'] : [...args], { from: 'user' });
}

async function list({ scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const { value, raw } = await getJson(scheduler, 'v1/dtabs', namespacesSchema);
  if (json) return screen.write(asJson(raw));
  const columns = [
    { title: 'NAMESPACE' },
    { title: 'VERSION', align: 'right' },
    { title: 'RULES', align: 'right' },
    { title: 'CHANGED', align: 'right' },
    { title: 'BY', shrinkTo: 12 },
  ] as const;
  const rows = value.map(({ name, version, dentries, at, by }) => {
    return [{ text: name }, { text: String(version) }, { text: String(dentries) }, { text: ago(at) }, { text: by }];
  });
  screen.write(renderTable(columns, rows, screen));
}

async function get(name: string, { scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const { value, raw } = await getJson(scheduler, pathOf(name), versionSchema, { named: true });
  screen.write(json ? asJson(raw) : textOf(value));
}

const VERSION_LINE = '# version ';

const textOf = ({ etag, dtab: text }: z.infer<typeof versionSchema>): string =>
  `${VERSION_LINE}${etag}\n${text ?? ''}\n`;

function set(name: string, file: string, options: WriteOptions, screen: Screen): Promise<void> {
  return put(name, readText(file), options, screen);
}

async function edit(name: string, options: WriteOptions, screen: Screen): Promise<void> {
  const { value } = await getJson(options.scheduler, pathOf(name), versionSchema, { named: true });
  const text = textOf(value);
  const save = (written: string): Promise<void> => put(name, written, options, screen);
  if (await edited({ name, text, environment: process.env, save })) return;
  screen.write(`Nothing was changed; ${name} stays at version ${value.version}.\n`);
}

async function put(name: string, text: string, options: WriteOptions, screen: Screen): Promise<void> {
  const [first = ''] = text.split('\n', 1);
  const ifMatch = first.startsWith(VERSION_LINE) ? first.slice(VERSION_LINE.length).trim() : null;
  const content = ifMatch === null ? text : text.slice(first.length + 1);
  await write(name, { method: 'PUT', ifMatch, text: { type: 'application/dtab', content } }, options);
  const { value } = await getJson(options.scheduler, pathOf(name), versionSchema, { named: true });
  screen.write(`${name} is at version ${value.version}; nodemesh dtab revert ${name} takes it back.\n`);
}

async function remove(name: string, options: WriteOptions, screen: Screen): Promise<void> {
  await write(name, { method: 'DELETE' }, options);
  screen.write(`${name} is deleted; nodemesh dtab revert ${name} brings it back.\n`);
}

async function history(name: string, { scheduler, json }: ReadOptions, screen: Screen): Promise<void> {
  const path = `${pathOf(name)}/history`;
  const { value, raw } = await getJson(scheduler, path, z.array(versionSchema), { named: true });
  if (json) return screen.write(asJson(raw));
  const columns = [
    { title: 'VERSION', align: 'right' },
    { title: 'CHANGED', align: 'right' },
    { title: 'BY', shrinkTo: 12 },
    { title: 'WHAT', shrinkTo: 10 },
    { title: 'DTAB', shrinkTo: 20 },
  ] as const;
  const rows = value.map(({ version, at, by, what, dtab: text }) => {
    const shown = text === null ? { text: 'deleted', tone: 'quiet' as const } : { text: text.replace(/\s+/g, ' ') };
    return [{ text: String(version) }, { text: ago(at) }, { text: by }, { text: what }, shown];
  });
  screen.write(renderTable(columns, rows, screen));
}

async function revert(name: string, to: string | undefined, options: WriteOptions, screen: Screen): Promise<void> {
  if (to !== undefined && !/^[1-9]\d*$/.test(to)) throw new UnknownName(`'${to}' is no version; versions are numbers`);
  const path = `${pathOf(name)}/revert${options.force ? '?force=true' : ''}`;
  const body = to === undefined ? {} : { version: Number(to) };
  const reply = await ask(options.scheduler, path, { method: 'POST', token: tokenOf(options), body });
  if (reply.status === 404) throw new UnknownName(sentenceIn(reply.body));
  if (reply.status !== 200) throw refusedWith(options.scheduler, path, reply);
  const { version, revertedTo, deleted } = revertedSchema.parse(JSON.parse(reply.body));
  const what = deleted ? 'is deleted again' : `is at version ${version}`;
  screen.write(`${name} ${what}, as it was at version ${revertedTo}.\n`);
}

/** By namerd's own API. */
async function write(name: string, request: Parameters<typeof ask>[2], options: WriteOptions): Promise<void> {
  const { scheduler } = options;
  const path = `api/1/dtabs/${encodeURIComponent(name)}${options.force ? '?force=true' : ''}`;
  const reply = await ask(scheduler, path, { ...request, token: tokenOf(options) });
  if (reply.status === 404) throw new UnknownName(sentenceIn(reply.body));
  if (reply.status !== 204) throw refusedWith(scheduler, path, reply);
}

/** With the names that a change would take away, one a line. */
function refusedWith(scheduler: URL, path: string, reply: { status: number; body: string }): Error {
  const refused = refusedSchema.safeParse(jsonIn(reply.body));
  const error = refusal(scheduler, path, reply);
  if (!refused.success) return error;
  const { names, more } = refused.data;
  return new Error([error.message, ...names, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
}

const pathOf = (name: string): string => `v1/dtabs/${encodeURIComponent(name)}`;

const asJson = (raw: unknown): string => `${JSON.stringify(raw, null, 2)}\n`;

const ago = (at: string): string => formatAge(ageOf(at, Date.now()));
