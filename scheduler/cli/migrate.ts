/**
 * `nodemesh migrate`: what a site with linkerd has, as an options file for the package, the configuration of the proxies and
 * dtabs, and what became of each setting. Nothing is changed anywhere but in the directory of `--out`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { configOfApp } from '../migrate/app-config.ts';
import { Draft, type Migration } from '../migrate/draft.ts';
import { moveApp } from '../migrate/linkerd-app.ts';
import { moveConfigText } from '../migrate/linkerd-config.ts';
import { movePackageOptions } from '../migrate/linkerd-package.ts';
import { moveNamerd, type NamerdNamespace } from '../migrate/namerd.ts';
import { withConfig } from '../migrate/with-config.ts';
import { jsonIn, readText } from './given.ts';
import { fetchText, type LoginOptions, loginOf, Remote } from './marathon.ts';
import { CONFIG_FILE, migrationReport, OPTIONS_FILE } from './migration-report.ts';
import { newCommand } from './options.ts';
import { UnknownName } from './outcome.ts';
import type { Screen } from './screen.ts';
import { addTakeover } from './takeover.ts';
import { parseUrl } from './urls.ts';

const ROOT = `
nodemesh migrate --options FILE | --marathon URL --app ID | --namerd URL says what
becomes of each setting, and makes an options file for the package; takeover then goes
over to it node by node, and give-back returns nodes to linkerd.`;

const AFTER = `
Give one or more of --options, --marathon with --app, --config and --namerd. Each
setting is taken over, changed, left out or not understood, and told with the
reason.

Whoever needs a login at Marathon has it from DCOS_ACS_TOKEN (as the DC/OS CLI has
it) or --marathon-credential-file. NODE_EXTRA_CA_CERTS names a CA for https.`;

interface Options extends LoginOptions {
  readonly options?: string;
  readonly marathon?: URL;
  readonly app?: string;
  readonly namerd?: URL;
  readonly config?: string;
  readonly out?: string;
  readonly json?: true;
}

export async function migrate(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const command = newCommand('nodemesh migrate', 'Go from linkerd and namerd to nodemesh.', version)
    .usage('[options] | takeover … | give-back …')
    .addHelpText('after', ROOT);
  command
    .command('site', { isDefault: true })
    .description('Say what a site with linkerd and namerd becomes here (without a word this is meant)')
    .allowExcessArguments(false)
    .option('--options <file>', "the options that linkerd's package was installed with, - for standard input")
    .option('--marathon <url>', 'the Marathon that runs linkerd, with --app', parseUrl)
    .option('--app <id>', 'the id of linkerd in Marathon')
    .option('--config <file>', "linkerd's own configuration, where the app does not say it")
    .option('--namerd <url>', 'the HTTP API of a namerd (port 4180): its dtabs', parseUrl)
    .option('--marathon-credential-file <file>', 'file with user:password for Marathon')
    .option('--out <dir>', 'write the files into this directory')
    .option('--json', 'print everything as JSON, for programs')
    .addHelpText('after', AFTER)
    .action((options: Options) => site(options, screen));
  addTakeover(command, screen);
  await command.parseAsync([...args], { from: 'user' });
}

async function site(options: Options, screen: Screen): Promise<void> {
  const draft = new Draft();
  await move(options, draft);
  const migration = withConfig(draft.result());
  if (options.out !== undefined) write(options.out, migration);
  if (options.json) screen.write(`${JSON.stringify(migration, null, 2)}\n`);
  else screen.write(migrationReport(migration, options, screen));
}

async function move(options: Options, draft: Draft): Promise<void> {
  const { marathon, app, namerd, config } = options;
  if ((marathon === undefined) !== (app === undefined)) {
    throw new UnknownName('--marathon and --app belong together: where Marathon is, and which of its apps is linkerd');
  }
  const isNothing = [options.options, marathon, namerd, config].every((one) => one === undefined);
  if (isNothing)
    throw new UnknownName('nothing to look at: give --options, --marathon with --app, --config or --namerd');
  if (options.options !== undefined && marathon !== undefined) {
    throw new UnknownName('--options and --app are two ways to say the same: give one. The running app is the truth');
  }

  const given = config === undefined ? null : readText(config);
  if (options.options !== undefined) {
    const json = jsonIn(readText(options.options));
    if (json === null) throw new Error(`the file ${options.options} is not JSON`);
    movePackageOptions(json, draft);
  }
  if (marathon !== undefined && app !== undefined) {
    const remote = new Remote('Marathon', marathon, loginOf(options));
    const found = await appOf(remote, app);
    moveApp(found, given ?? (await fetched(found)), draft);
  } else if (given !== null) moveConfigText(given, 'config', draft);
  if (namerd !== undefined) moveNamerd(await namespacesOf(new Remote('namerd', namerd, null)), draft);
}

const appSchema = z.object({ app: z.record(z.string(), z.unknown()) });

async function appOf(marathon: Remote, id: string): Promise<Readonly<Record<string, unknown>>> {
  const path = `v2/apps/${id.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/')}`;
  const answer = await marathon.ask(path);
  if (answer.status === 404) throw new UnknownName(`Marathon has no app ${id}: ${answer.sentence}`);
  const read = appSchema.safeParse(answer.json);
  if (answer.status !== 200 || !read.success) throw marathon.refusal(`GET /${path}`, answer);
  return read.data.app;
}

async function fetched(app: Readonly<Record<string, unknown>>): Promise<string | null> {
  const config = configOfApp(app);
  return config.kind === 'url' ? fetchText(config.url) : null;
}

const namesSchema = z.array(z.string());
const dentriesSchema = z.array(z.object({ prefix: z.string(), dst: z.string() }));

async function namespacesOf(namerd: Remote): Promise<NamerdNamespace[]> {
  const read = <T>(schema: z.ZodMiniType<T>, path: string, json: unknown): T => {
    const result = schema.safeParse(json);
    if (result.success) return result.data;
    throw new Error(`the answer to ${path} is not namerd's. Is the URL that of its HTTP API (port 4180)?`);
  };
  const names = read(namesSchema, 'api/1/dtabs', await namerd.get('api/1/dtabs'));
  const namespaces: NamerdNamespace[] = [];
  for (const name of names) {
    const path = `api/1/dtabs/${encodeURIComponent(name)}`;
    namespaces.push({ name, dentries: read(dentriesSchema, path, await namerd.get(path)) });
  }
  return namespaces;
}

function write(directory: string, { options, config, dtabs }: Migration): void {
  const files = [
    { name: OPTIONS_FILE, text: `${JSON.stringify(options, null, 2)}\n` },
    ...(config === null ? [] : [{ name: CONFIG_FILE, text: config }]),
    ...dtabs.map(({ namespace, text }) => ({ name: `${namespace}.dtab`, text })),
  ];
  try {
    mkdirSync(directory, { recursive: true });
    // What a person has changed since is not to be lost.
    for (const { name, text } of files) writeFileSync(join(directory, name), text, { flag: 'wx' });
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const hint = reason === 'EEXIST' ? ': a file of an earlier run is there; give another directory, or remove it' : '';
    throw new Error(`the directory ${directory} cannot be written (${reason})${hint}`);
  }
}
