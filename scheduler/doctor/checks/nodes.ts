/** Checks of the agents: who has no proxy, which ports are in the way, whose table is old. Pure. */
import type { Facts } from '../facts.ts';
import { type Finding, ok, plural, someOf, unknown } from '../finding.ts';

/** So many nodes are told one by one, the others together. */
const MOST_TOLD = 10;
/** Proxies report every few seconds; a minute without is no chance any more. */
const OLD_TABLE_S = 60;

export function agents({ leading, nodes }: Facts): readonly Finding[] {
  if (!leading) return [unknown('the agents', 'the nodes are not known', 'this scheduler does not lead')];
  const wanted = nodes.filter(({ state }) => state !== 'excluded');
  const without = wanted.filter(({ state }) => state !== 'healthy');
  const excluded = nodes.length - wanted.length;
  if (nodes.length === 0) {
    return [
      {
        severity: 'warning',
        what: 'no agent is known',
        subject: 'the cluster',
        why: 'Mesos has offered nothing, and the operator API has listed none',
        todo: 'see mesos, framework and permissions; are there agents?',
      },
    ];
  }
  if (without.length === 0) {
    const left = excluded === 0 ? '' : `; ${excluded} are left out by the placement`;
    return [ok('all nodes', `${wanted.length} of ${wanted.length} proxies are healthy${left}`)];
  }
  const told = without.slice(0, MOST_TOLD).map(
    ({ hostname, state, reason }): Finding => ({
      // Of what is under way nobody has to take care.
      severity: state === 'launching' || state === 'draining' ? 'note' : 'error',
      what: `the proxy is ${state}`,
      subject: hostname,
      why: reason ?? 'nothing was said of it yet',
      todo:
        state === 'launching' || state === 'draining'
          ? null
          : `the reason says what it waits for; nodemesh why ${hostname}`,
    }),
  );
  if (without.length <= MOST_TOLD) return told;
  const others = without.slice(MOST_TOLD).map(({ hostname }) => hostname);
  return [
    ...told,
    {
      severity: 'error',
      what: `${others.length} more have no healthy proxy`,
      subject: someOf(others),
      why: 'each has its own reason',
      todo: 'nodemesh nodes lists them all, each with its reason',
    },
  ];
}

export function ports({ config, nodes, mesos: { agents: asked } }: Facts): readonly Finding[] {
  const { out, in: incoming, admin } = config.ports;
  const wanted = [out, incoming, admin];
  const findings: Finding[] = nodes.flatMap(({ hostname, taken }) =>
    taken.map((port) => ({
      severity: 'error',
      what: `another program has port ${port}`,
      subject: hostname,
      why: 'it answers there, and no proxy of ours runs on the node',
      todo: `ss -ltnp 'sport = :${port}' on the node says who; stop it, or choose other ports with --ports`,
    })),
  );
  if (asked.kind === 'answered') {
    const lacking = wanted.flatMap((port) => {
      const hosts = asked.value.filter(
        ({ ports: ranges }) => !ranges.some(([first, last]) => first <= port && port <= last),
      );
      return hosts.length === 0 ? [] : [{ port, hosts: hosts.map(({ hostname }) => hostname) }];
    });
    for (const { port, hosts } of lacking) {
      findings.push({
        severity: 'error',
        what: `port ${port} is not among the resources of ${hosts.length} of ${asked.value.length} agents`,
        subject: someOf(hosts),
        why: 'their ports resource (--resources of mesos-agent) leaves it out, and Mesos gives no task a port beyond it',
        todo: `choose ports that all offer with --ports, or add ${port} to the resources of the agents`,
      });
    }
  } else {
    const why = asked.kind === 'failed' ? asked.reason : `the master answered ${asked.status}`;
    findings.push(unknown(asked.url, 'the ranges of ports are not known', why));
  }
  return findings.length > 0
    ? findings
    : [ok(`ports ${wanted.join(', ')}`, 'every agent offers them, and no other program was found there')];
}

export function tables({ leading, nodes }: Facts): readonly Finding[] {
  if (!leading) return [unknown('the proxies', 'their tables are not known', 'this scheduler does not lead')];
  const known = nodes.filter(({ tableAgeSeconds }) => tableAgeSeconds !== null);
  if (known.length === 0)
    return [unknown('the proxies', 'their tables are not known', 'none has said how old its table is')];
  const old = known.filter(({ tableAgeSeconds }) => (tableAgeSeconds ?? 0) > OLD_TABLE_S);
  if (old.length === 0)
    return [ok(`${plural(known.length, 'proxy', 'proxies')} with a session`, 'the tables are right')];
  const oldest = Math.max(...old.map(({ tableAgeSeconds }) => tableAgeSeconds ?? 0));
  return [
    {
      severity: 'warning',
      what: `${old.length} of ${known.length} proxies have a table that was not known to be right for up to ${oldest} s`,
      subject: someOf(old.map(({ hostname }) => hostname)),
      why: 'they do not reach the scheduler, or it is too busy to answer',
      todo: 'can the node reach the address of --advertise? nodemesh why NODE; nodemesh_control_sessions has the sessions',
    },
  ];
}
