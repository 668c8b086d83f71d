/** What was refused, with the grant that is missing; and the user of the proxies. Pure. */
import type { Asked, Facts } from '../facts.ts';
import { type Finding, ok } from '../finding.ts';

/** Mesos may answer with a page. */
const MAX_TEXT = 500;

export function permissions({ config, refusals, mesos, marathons }: Facts): readonly Finding[] {
  const who = config.principal === null ? 'the scheduler (it has no login)' : `the principal '${config.principal}'`;
  const asked: readonly (readonly [what: string, asked: Asked<unknown>, grant: string])[] = [
    ['read the version of the master', mesos.version, 'the read-only endpoints of the master'],
    [
      'see frameworks',
      mesos.frameworks,
      `view_frameworks (DC/OS: dcos:mesos:master:framework:role:${config.role} read)`,
    ],
    ['see agents', mesos.agents, `view_roles (DC/OS: dcos:mesos:master:framework:role:${config.role} read)`],
    ['see roles', mesos.roles, 'view_roles'],
    ...marathons.map(
      ({ url, info }) => [`read Marathon at ${url}`, info, 'dcos:service:marathon:marathon:services:/ read'] as const,
    ),
  ];
  const atWork = refusals.map(
    ({ what, text, grants }): Finding => ({
      severity: 'error',
      what: `${what} is refused to the scheduler`,
      subject: config.principal ?? 'no login',
      why: text.slice(0, MAX_TEXT),
      todo:
        grants.length > 0
          ? `grant what is missing: ${grants.join(' ; ')} (nodemesh permissions prints them all)`
          : "see the ACLs of the masters (--acls), or the account's secret",
    }),
  );
  const now = asked.flatMap(([what, answer, grant]): Finding[] => {
    if (answer.kind !== 'refused') return [];
    if (answer.status === 401) {
      return [
        {
          severity: 'error',
          what: `${who} may not ${what}: the login is not taken (401)`,
          subject: answer.url,
          why:
            config.principal === null
              ? 'it asks for a login, and none is configured'
              : 'the secret or the key is another one, or a clock is off',
          todo: 'name the login: --service-account-file, or --principal with --secret-file; for Marathon --marathon-credential-file',
        },
      ];
    }
    if (answer.status !== 403) return [];
    return [
      {
        severity: 'error',
        what: `${who} may not ${what} (403)`,
        subject: answer.url,
        why: `it lacks ${grant}`,
        todo: `grant it: ${grant}; on DC/OS nodemesh permissions prints all that is needed, as commands`,
      },
    ];
  });
  if (atWork.length + now.length > 0) return [...atWork, ...now];
  // Whatever failed otherwise is said where it belongs.
  return [ok(config.principal ?? 'no login', 'nothing that was asked here was refused')];
}

export function user({ config }: Facts): readonly Finding[] {
  if (config.user !== 'nobody') return [ok('--user', `proxies run as ${config.user}`)];
  return [
    {
      severity: 'warning',
      what: 'proxies run as nobody',
      subject: '--user',
      why: 'other tasks run as nobody too, and may read the memory of a proxy, its keys among it, and kill it',
      todo: 'make an account for proxies on every agent, and name it with --user (strict mode: it needs dcos:mesos:master:task:user:<user> create)',
    },
  ];
}
