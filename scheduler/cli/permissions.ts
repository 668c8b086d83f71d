/** `nodemesh permissions`: what to grant on Enterprise DC/OS, as commands of the DC/OS CLI. It asks nobody. */
import { InvalidArgumentError, Option } from 'commander';
import { type Account, type Grant, grantCommand, grantsOf, word } from '../permissions/grants.ts';
import { newCommand } from './options.ts';
import type { Screen } from './screen.ts';

interface Options {
  readonly strict?: true;
  readonly serviceAccount: string;
  readonly secret: string;
  readonly name: string;
  readonly role: string;
  readonly publicRole: string;
  readonly user: string;
  readonly schedulerUser: string;
  readonly marathon: readonly string[];
  readonly mesosDiscovery: boolean;
  readonly json?: true;
}

const DEFAULT_MARATHON = 'https://marathon.mesos:8443';

export async function permissions(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const summary = "Print the DC/OS commands that make nodemesh's service account and grant it what it needs.";
  const command = newCommand('nodemesh permissions', summary, version)
    .option('--strict', 'for a cluster in strict mode; without it, in permissive mode')
    .addOption(named('--service-account <uid>', 'the account of the scheduler', 'nodemesh'))
    .addOption(named('--secret <name>', "the secret that the account's key is put into", 'nodemesh/service-account'))
    .addOption(named('--name <name>', 'the name of the service', 'nodemesh'))
    .addOption(named('--role <role>', 'the Mesos role of the proxies', 'nodemesh'))
    .addOption(named('--public-role <role>', 'the role of public agents; none leaves them alone', 'slave_public'))
    .addOption(named('--user <user>', 'the user that proxies run as', 'nobody'))
    .addOption(named('--scheduler-user <user>', 'the user that the scheduler runs as', 'nobody'))
    .addOption(
      new Option('--marathon <url...>', 'the Marathons that are followed').default([DEFAULT_MARATHON]).argParser(urls),
    )
    .option('--no-mesos-discovery', 'without the tasks of other frameworks than Marathon')
    .option('--json', 'print the grants for programs')
    .addHelpText('after', '\nNothing is carried out. The commands need dcos-enterprise-cli and a superuser.');
  command.parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const { serviceAccount: uid, role, user, publicRole, mesosDiscovery, marathon: marathons } = options;
  const account: Account = {
    ...{ uid, role, user, mesosDiscovery, marathons },
    publicRole: publicRole === 'none' ? null : publicRole,
  };
  const grants = grantsOf(account).filter(({ strictOnly }) => options.strict === true || !strictOnly);
  screen.write(options.json ? asJson(uid, grants) : script(options, grants));
}

function named(flags: string, help: string, fallback: string): Option {
  return new Option(flags, help).default(fallback).argParser((text) => {
    if (/^[\w.@/-]{1,200}$/.test(text)) return text;
    throw new InvalidArgumentError('Only letters, digits and _ . @ / - can stand in it.');
  });
}

/** The first one takes the place of the default. */
function urls(text: string, before: readonly string[]): readonly string[] {
  if (!/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) {
    throw new InvalidArgumentError(`Give an http or https URL, such as ${DEFAULT_MARATHON}.`);
  }
  return before.length === 1 && before[0] === DEFAULT_MARATHON ? [text] : [...before, text];
}

function asJson(uid: string, grants: readonly Grant[]): string {
  const shown = grants.map(({ need, resource, action, why }) => ({
    ...{ user: uid, resource, action, why },
    needed: need !== 'agent-files',
    command: grantCommand(uid, { resource, action }),
  }));
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function script(options: Options, grants: readonly Grant[]): string {
  const { serviceAccount: uid, secret, name, user, schedulerUser, strict } = options;
  const command = (grant: Grant): string => `${grantCommand(uid, grant)}  # ${grant.why}`;
  const needed = grants.filter(({ need }) => need !== 'agent-files');
  const optional = grants.filter(({ need }) => need === 'agent-files');
  return [
    '# The account, and its key as a secret that the service alone can read.',
    `dcos security org service-accounts keypair ${word(uid)}-private.pem ${word(uid)}-public.pem`,
    `dcos security org service-accounts create -p ${word(uid)}-public.pem -d 'nodemesh, the service mesh' ${word(uid)}`,
    `dcos security secrets create-sa-secret ${strict ? '--strict ' : ''}${word(uid)}-private.pem ${word(uid)} ${word(secret)}`,
    `rm ${word(uid)}-private.pem`,
    '',
    strict
      ? '# What the scheduler needs.'
      : '# What the scheduler needs. Mesos asks for no permission in permissive mode; see --strict.',
    ...needed.map(command),
    ...(optional.length === 0 ? [] : ['', '# So that it can say why a proxy has ended. It works without.']),
    ...optional.map(command),
    ...marathonUser(options),
    '',
    '# Who may look at the mesh and steer it: for each user (or a group, by dcos security org groups grant).',
    `# dcos security org users grant USER dcos:adminrouter:service:${name} full`,
    ...(user === 'nobody' && strict ? ['', ...OWN_USER] : []),
    ...(user === schedulerUser && user !== 'nobody' ? ['', ...SAME_USER] : []),
    '',
  ].join('\n');
}

/** Marathon launches the scheduler, and may do so as nobody by itself. */
function marathonUser({ strict, schedulerUser }: Options): string[] {
  if (strict !== true || schedulerUser === 'nobody') return [];
  const grant = { resource: `dcos:mesos:master:task:user:${schedulerUser}`, action: 'create' } as const;
  return ['', '# So that Marathon may launch the scheduler as its user.', grantCommand('dcos_marathon', grant)];
}

const OWN_USER = [
  '# Proxies would run as nobody, as many other tasks do, and those could read what is theirs (their key of the mesh).',
  '# A user of their own is better: on every agent `useradd --system --no-create-home nodemesh`, and here --user nodemesh.',
];

const SAME_USER = [
  '# Scheduler and proxies run as the same user: where they meet on an agent, one can read the secrets of the other.',
];
