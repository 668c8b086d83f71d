/** All checks, in the order in which they are told. Each is a function from facts to findings, and knows no other. */
import { clocks } from './checks/clocks.ts';
import { marathon } from './checks/marathon.ts';
import { framework, mesos, roles } from './checks/mesos.ts';
import { names } from './checks/names.ts';
import { agents, ports, tables } from './checks/nodes.ts';
import { permissions, user } from './checks/permissions.ts';
import { cpu, files } from './checks/proxies.ts';
import { zooKeeper } from './checks/zookeeper.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';

export interface Check {
  readonly name: string;
  /** What is looked at, for the page docs/doctor.md. */
  readonly looksAt: string;
  /** What is a warning or an error, for the same page. */
  readonly complainsOf: string;
  judge(facts: Facts): readonly Finding[];
}

export const CHECKS: readonly Check[] = [
  {
    name: 'mesos',
    looksAt: "the leading master, by the scheduler's own addresses and login: `/version`",
    complainsOf: 'no leader; no answer; a version below 1.9',
    judge: mesos,
  },
  {
    name: 'framework',
    looksAt: "the scheduler's registration: its id, its subscription, `/frameworks`",
    complainsOf: 'no registration, no subscription, a framework of the same name that is not this one',
    judge: framework,
  },
  {
    name: 'roles',
    looksAt: 'weight and quota of `--role` and `--public-role`: `/roles`',
    complainsOf: 'a weight below 1; a quota that the proxies of all agents do not fit in',
    judge: roles,
  },
  {
    name: 'agents',
    looksAt: 'every agent, and the state of its proxy',
    complainsOf: 'agents without a healthy proxy, with the reason of each',
    judge: agents,
  },
  {
    name: 'marathon',
    looksAt: 'each Marathon: `/v2/info`, and the event stream',
    complainsOf: 'no answer, no leader, no events, a table that is not whole',
    judge: marathon,
  },
  {
    name: 'zookeeper',
    looksAt: 'each server of each ensemble: `srvr`',
    complainsOf: 'servers that cannot be reached or do not serve; no quorum; latencies above 100 ms on average',
    judge: zooKeeper,
  },
  {
    name: 'dns',
    looksAt: "the names in the scheduler's options, and `leader.mesos`, as this machine looks them up",
    complainsOf: 'names that are needed and not found; look-ups that take longer than 1 s',
    judge: names,
  },
  {
    name: 'ports',
    looksAt: 'the ranges that agents offer, and who answers on the ports of proxies that are not healthy',
    complainsOf: 'a port of `--ports` that an agent does not offer, or that another program has',
    judge: ports,
  },
  {
    name: 'clocks',
    looksAt: 'the header `Date` of the master, of each Marathon, and of agents',
    complainsOf: 'a clock that is off by more than 5 s (error: 60 s)',
    judge: clocks,
  },
  {
    name: 'permissions',
    looksAt: 'what was answered with 401 or 403, above and to the scheduler at work',
    complainsOf: 'a login that is not taken, a grant that is missing',
    judge: permissions,
  },
  {
    name: 'user',
    looksAt: '`--user`, which proxies run as',
    complainsOf: '`nobody`, whose processes may do to each other what they like',
    judge: user,
  },
  {
    name: 'files',
    looksAt: "each proxy's limit of open files",
    complainsOf: 'a limit below 4,096',
    judge: files,
  },
  {
    name: 'cpu',
    looksAt: "`cpu.stat` of each proxy's cgroup, and what it may use beyond what it asks for",
    complainsOf: 'more than 5 % of the periods throttled',
    judge: cpu,
  },
  {
    name: 'tables',
    looksAt: 'how old the table of each proxy is',
    complainsOf: 'a table that was not known to be right for a minute',
    judge: tables,
  },
];
