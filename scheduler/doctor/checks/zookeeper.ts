/** The check of ZooKeeper: each server, the quorum, and how quick it is. Pure. */
import type { Facts, ZooKeeperFacts, ZooKeeperServer } from '../facts.ts';
import { type Finding, ok, someOf } from '../finding.ts';

/** ZooKeeper writes to disk before it answers; more than this is a slow disk or too much load. */
const SLOW_MS = 100;

export function zooKeeper({ zookeepers }: Facts): readonly Finding[] {
  return zookeepers.flatMap(judged);
}

const PURPOSES = { masters: 'to find the Mesos master', state: 'for the state and the lead' } as const;
const OPTION = { masters: '--master', state: '--state' } as const;

function judged({ use, servers }: ZooKeeperFacts): readonly Finding[] {
  const all = servers.map(({ server }) => server);
  const there = servers.filter(({ answer }) => answer.kind === 'serving' || answer.kind === 'silent');
  const away = servers.filter((server) => !there.includes(server));
  const findings: Finding[] = [];
  if (there.length === 0) {
    return [
      {
        severity: 'error',
        what: `no server of ZooKeeper serves, which is needed ${PURPOSES[use]}`,
        subject: all.join(', '),
        why: away.map(reasonOf).join('; '),
        todo: `start ZooKeeper, or mend ${OPTION[use]}; proxies serve on meanwhile`,
      },
    ];
  }
  if (away.length > 0) {
    const names = someOf(away.map(({ server }) => server));
    // An ensemble needs more than half of its servers; one that is not named here may be part of it.
    const isClose = away.length * 2 >= servers.length;
    findings.push({
      severity: isClose ? 'error' : 'warning',
      what: `${away.length} of ${servers.length} servers of ZooKeeper do not serve${isClose ? ', and half of them is too few' : ''}`,
      subject: names,
      why: away.map(reasonOf).join('; '),
      todo: 'bring them back: with one more away there may be no quorum',
    });
  }
  const serving = there.flatMap(({ server, answer }) => (answer.kind === 'serving' ? [{ server, ...answer }] : []));
  for (const { server, averageMs, mostMs } of serving) {
    if (averageMs <= SLOW_MS) continue;
    findings.push({
      severity: 'warning',
      what: `ZooKeeper answers in ${averageMs} ms on average, ${mostMs} ms at most`,
      subject: server,
      why: 'its disk is slow, or it has too much to do',
      todo: 'give its transaction log a disk of its own (dataLogDir)',
    });
  }
  if (findings.length > 0) return findings;
  const modes = serving.map(({ mode }) => mode).join(', ');
  const said = serving.length === 0 ? 'they do not say more (4lw.commands.whitelist without srvr)' : modes;
  return [ok(all.join(', '), `${there.length} of ${servers.length} servers are there ${PURPOSES[use]}: ${said}`)];
}

function reasonOf({ server, answer }: ZooKeeperServer): string {
  if (answer.kind === 'unreachable') return `${server}: ${answer.reason}`;
  return answer.kind === 'not-serving' ? `${server}: ${answer.said}` : server;
}
