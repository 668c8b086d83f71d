/**
 * What the IAM of Enterprise DC/OS has to allow the scheduler's account, and what each is for. Sources: the permissions
 * reference of DC/OS, and what it grants to frameworks of the SDK; Mesos asks in strict mode only, Marathon in permissive
 * mode, too.
 */

/** What is not possible without the grants of its kind. */
export type Need =
  /** Subscribing with a role. */
  | 'register'
  | 'reserve'
  | 'unreserve'
  /** Launching a proxy as its user. */
  | 'run'
  /** Which agents, frameworks and tasks there are. */
  | 'view'
  /** The last words of a proxy that has ended; everything else works without. */
  | 'agent-files'
  | 'marathon-apps'
  | 'marathon-events'
  /** The way to a Marathon behind Admin Router. */
  | 'marathon-way';

export interface Grant {
  readonly need: Need;
  /** The IAM's name of what is protected. */
  readonly resource: string;
  readonly action: 'create' | 'read' | 'delete' | 'full';
  /** For people, as in "allows it to …". */
  readonly why: string;
  /** Only strict mode asks for it. */
  readonly strictOnly: boolean;
}

/** For whom. */
export interface Account {
  readonly uid: string;
  readonly role: string;
  /** Null: agents of the public role are left alone. */
  readonly publicRole: string | null;
  /** The user that proxies run as. */
  readonly user: string;
  /** Whether tasks of other frameworks than Marathon are services, too. */
  readonly mesosDiscovery: boolean;
  /** Base URLs. */
  readonly marathons: readonly string[];
}

export function grantsOf(account: Account): Grant[] {
  const { uid, role, publicRole, user } = account;
  // As the framework subscribes: what is reserved to a role is offered to roles below it.
  const roles = publicRole === null ? [role] : [role, `${publicRole}/${role}`];
  return [
    ...roles.flatMap((each) => [
      mesos('register', `dcos:mesos:master:framework:role:${each}`, 'create', `subscribe with the role ${each}`),
      mesos('reserve', `dcos:mesos:master:reservation:role:${each}`, 'create', 'hold the place of each proxy'),
    ]),
    mesos('unreserve', `dcos:mesos:master:reservation:principal:${uid}`, 'delete', 'give places back'),
    mesos('run', `dcos:mesos:master:task:user:${user}`, 'create', `launch proxies as ${user}`),
    // As packages of DC/OS that run as root have it.
    ...(user === 'root' ? [mesos('run', 'dcos:mesos:agent:task:user:root', 'create', 'launch proxies as root')] : []),
    ...viewGrants(account, roles),
    ...roles.map((each) =>
      mesos('agent-files', `dcos:mesos:agent:framework:role:${each}`, 'read', 'find the files of its proxies'),
    ),
    mesos('agent-files', 'dcos:mesos:agent:executor:app_id', 'read', 'find the files of its proxies'),
    mesos('agent-files', 'dcos:mesos:agent:task:app_id', 'read', 'find the files of its proxies'),
    mesos('agent-files', 'dcos:mesos:agent:sandbox:app_id', 'read', 'read why a proxy has ended'),
    ...marathonGrants(account.marathons),
  ];
}

function viewGrants({ mesosDiscovery }: Account, roles: readonly string[]): Grant[] {
  if (!mesosDiscovery) {
    return roles.map((each) => mesos('view', `dcos:mesos:master:framework:role:${each}`, 'read', 'see the agents'));
  }
  return [
    mesos('view', 'dcos:mesos:master:framework:role', 'read', 'see agents and frameworks'),
    mesos('view', 'dcos:mesos:master:task:app_id', 'read', 'see the tasks of all frameworks'),
    mesos('view', 'dcos:mesos:master:executor:app_id', 'read', 'see the tasks of all frameworks'),
  ];
}

function marathonGrants(urls: readonly string[]): Grant[] {
  const names = new Set(urls.map(marathonName));
  return [...names].flatMap((name) => [
    marathon('marathon-apps', `dcos:service:marathon:${name}:services:/`, 'read', 'read the apps and pods'),
    marathon('marathon-events', `dcos:service:marathon:${name}:admin:events`, 'read', 'hear of changes at once'),
    ...(urls.some((url) => marathonName(url) === name && isBehindAdminRouter(url))
      ? [marathon('marathon-way', `dcos:adminrouter:service:${name}`, 'full', 'reach it through Admin Router')]
      : []),
  ]);
}

function mesos(need: Need, resource: string, action: Grant['action'], why: string): Grant {
  return { need, resource, action, why, strictOnly: true };
}

function marathon(need: Need, resource: string, action: Grant['action'], why: string): Grant {
  return { need, resource, action, why, strictOnly: false };
}

const SERVICE = /\/service\/([^/]+)/;

function isBehindAdminRouter(url: string): boolean {
  return SERVICE.test(url) || /\/marathon\/?$/.test(new URL(url).pathname);
}

/** Marathon's own name, by which its resources are called: that of the root Marathon, unless the URL says another. */
export function marathonName(url: string): string {
  const named = SERVICE.exec(url)?.[1];
  if (named !== undefined) return named;
  const host = new URL(url).hostname;
  // By Mesos-DNS: marathon.mesos is the root one, user.marathon.mesos an app of it.
  const [first = '', second] = host.split('.');
  return second === 'marathon' && host.endsWith('.mesos') ? first : 'marathon';
}

/** The command that grants it. */
export function grantCommand(uid: string, { resource, action }: Pick<Grant, 'resource' | 'action'>): string {
  return `dcos security org users grant ${word(uid)} ${word(resource)} ${action}`;
}

/** One word of a shell. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
