/** Checks of Mesos: the leader, our registration, our roles. Pure. */
import type { Asked, Facts } from '../facts.ts';
import { type Finding, ok, unknown } from '../finding.ts';

/** Operations with feedback, `/roles` with quota limits, draining: what the framework builds on. */
const OLDEST = [1, 9] as const;

export function mesos({ mesos: { masters, version } }: Facts): readonly Finding[] {
  if (masters.length === 0) {
    return [
      {
        severity: 'error',
        what: 'no Mesos master leads',
        subject: '--master',
        why: 'ZooKeeper names no leading master, or cannot be reached (see zookeeper)',
        todo: 'start the masters, or name their ZooKeeper and its path as the masters do (--zk of mesos-master)',
      },
    ];
  }
  if (version.kind !== 'answered') return [notAnswered(version, 'the Mesos master', '--master')];
  const { url, value } = version;
  const [major = 0, minor = 0] = value.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return [
      {
        severity: 'warning',
        what: `Mesos ${value} is older than what was ever tried`,
        subject: url,
        why: 'draining of agents and limits of quotas came with 1.9',
        todo: 'upgrade Mesos, or try nodemesh on a part of the cluster first (--constraint)',
      },
    ];
  }
  return [ok(url, `Mesos ${value} leads`)];
}

/** What is said of a server that does not answer as it should. */
export function notAnswered(
  asked: Exclude<Asked<unknown>, { kind: 'answered' }>,
  who: string,
  option: string,
): Finding {
  if (asked.kind === 'failed') {
    return {
      severity: 'error',
      what: `${who} does not answer`,
      subject: asked.url,
      why: asked.reason,
      todo: `look whether it runs, and whether this machine reaches it; ${option} has its address`,
    };
  }
  const isLogin = asked.status === 401 || asked.status === 403;
  return {
    severity: 'error',
    what: `${who} answers ${asked.status}`,
    subject: asked.url,
    why: isLogin
      ? 'it does not take the login, or the login may not ask this (see permissions)'
      : 'it is not ready, or no such server',
    todo: isLogin ? 'see permissions' : `look into its log; ${option} has its address`,
  };
}

export function framework({
  config,
  leading,
  frameworkId,
  subscribed,
  mesos: { frameworks },
}: Facts): readonly Finding[] {
  if (!leading) return [unknown('the framework', 'the registration is not known', 'this scheduler does not lead')];
  if (frameworkId === null) {
    return [
      {
        severity: 'error',
        what: 'the framework is not registered with Mesos',
        subject: config.name,
        why: 'no master has given it an id yet',
        todo: "see mesos and permissions; the scheduler's log says why the last attempt failed",
      },
    ];
  }
  const findings: Finding[] = [];
  if (!subscribed) {
    findings.push({
      severity: 'error',
      what: 'the framework is not subscribed to the master now',
      subject: `${config.name} (${frameworkId})`,
      why: 'the stream of events is gone, and is tried again',
      todo: 'see mesos; proxies serve on meanwhile, and none is launched',
    });
  }
  if (frameworks.kind !== 'answered') {
    const why = frameworks.kind === 'failed' ? frameworks.reason : `it answered ${frameworks.status}`;
    return [...findings, unknown(frameworks.url, 'what the master says of the framework is not known', why)];
  }
  const ours = frameworks.value.find(({ id }) => id === frameworkId);
  const twins = frameworks.value.filter(({ id, name }) => name === config.name && id !== frameworkId);
  if (ours === undefined) {
    findings.push({
      severity: 'error',
      what: 'the master does not know this framework',
      subject: `${config.name} (${frameworkId})`,
      why: 'it was removed, or its failover timeout is over, or the scheduler asks another cluster',
      todo: "the scheduler's log says what Mesos answered; with an empty state (--state) it registers anew",
    });
  } else if (subscribed && ours.active && ours.connected) {
    findings.push(ok(`${ours.name} (${ours.id})`, `registered, with the roles ${ours.roles.join(', ')}`));
  } else if (subscribed) {
    findings.push({
      severity: 'warning',
      what: `the master has the framework as ${ours.connected ? 'connected, and not active' : 'not connected'}`,
      subject: `${ours.name} (${ours.id})`,
      why: 'it gets no offers so',
      todo: 'wait a minute; if it lasts, restart the scheduler: proxies serve on',
    });
  }
  for (const twin of twins) {
    findings.push({
      severity: 'warning',
      what: 'there is another framework of the same name',
      subject: `${twin.name} (${twin.id})`,
      why: 'a second scheduler with a state of its own, or what an earlier one left',
      todo: 'have one scheduler for each --name and --state; an old one goes with --uninstall',
    });
  }
  return findings;
}

export function roles({ config, nodes, mesos: { roles: asked } }: Facts): readonly Finding[] {
  if (asked.kind !== 'answered') {
    const why = asked.kind === 'failed' ? asked.reason : `the master answered ${asked.status}`;
    return [unknown(asked.url, 'weights and quotas are not known', why)];
  }
  const ours = [config.role, ...(config.publicRole === null ? [] : [config.publicRole])];
  return ours.flatMap((name): Finding[] => {
    const role = asked.value.find((each) => each.name === name);
    const subject = `role ${name}`;
    if (role === undefined) {
      const what = 'Mesos does not list the role: no agent has resources of it, and no framework uses it';
      return [{ severity: 'note', what, subject, why: null, todo: null }];
    }
    const findings: Finding[] = [];
    if (role.weight < 1) {
      findings.push({
        severity: 'warning',
        what: `the role has the weight ${role.weight}`,
        subject,
        why: 'others are offered resources before it, so that a new agent may be full before its proxy is launched',
        todo: 'give it the weight 1 or more (PUT /weights of the master)',
      });
    }
    const needed = nodes.filter(({ state }) => state !== 'excluded').length * config.proxy.cpus;
    if (name === config.role && role.cpusLimit !== null && role.cpusLimit < needed) {
      findings.push({
        severity: 'error',
        what: `the quota of the role is ${role.cpusLimit} CPUs, and its proxies need ${needed}`,
        subject,
        why: `${config.proxy.cpus} CPUs for each of the agents that are to have one`,
        todo: 'raise the limit of the quota, take it away, or lower --proxy-cpus',
      });
    }
    return findings.length > 0
      ? findings
      : [
          ok(
            subject,
            `weight ${role.weight}, ${role.cpusLimit === null ? 'no quota' : `a quota of ${role.cpusLimit} CPUs`}`,
          ),
        ];
  });
}
