/**
 * How an app reaches the proxy of its own node: by which address, in the network that it has, and what could be tried of it
 * from here. Pure.
 */
import type { SchedulerConfig } from '../config.ts';
import { type Finding, ok, someOf, unknown } from './finding.ts';

/**
 * - `host`: the network of its agent. `bridge`: a network of the agent's own, behind NAT.
 * - `container`: a network with addresses of its own over all agents (an overlay, Calico).
 * - `other`: a task of another framework than Marathon, of whose network nobody here knows.
 */
export type NetworkMode = 'host' | 'bridge' | 'container' | 'other';

export interface AppFacts {
  readonly id: string;
  readonly kind: 'app' | 'pod' | 'other';
  readonly mode: NetworkMode;
  /** Of its instances, one for each agent. */
  readonly places: readonly AppPlace[];
  /** Instances on more agents, which were not looked at. */
  readonly leftOut: number;
}

export interface AppPlace {
  readonly taskId: string;
  /** What Marathon puts into `HOST`: the agent's hostname, as Mesos has it. */
  readonly host: string;
  /** The agent's address; null: it is not known. */
  readonly ip: string | null;
  /** Who answered at the proxy's outgoing port, asked from the scheduler's machine. */
  readonly answer: ProxyAnswer;
  /** What `HOST` leads to, looked up on the scheduler's machine; null where it is an address. */
  readonly hostLeadsTo: readonly string[] | null;
}

export type ProxyAnswer =
  | { readonly kind: 'ours' }
  /** Not asked: on a public agent it listens on loopback alone (`--public-listeners edge`). */
  | { readonly kind: 'inside' }
  /** Something else than a proxy of ours. */
  | { readonly kind: 'other'; readonly status: number }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Addressing {
  readonly network: string;
  readonly address: string;
  readonly why: string;
}

/** By network: with which address a task reaches its node's proxy. Also the table of docs/doctor.md. */
export function addressingOf(mode: NetworkMode, out: number, bind: SchedulerConfig['bind']): Addressing {
  switch (mode) {
    case 'host':
      return bind === 'node'
        ? {
            network: 'host',
            address: `$HOST:${out}`,
            why: "the proxy listens on the agent's address alone (--bind node), not on loopback",
          }
        : {
            network: 'host',
            address: `127.0.0.1:${out} or $HOST:${out}`,
            why: 'the proxy listens as its configuration says: on every address, where it says nothing',
          };
    case 'bridge':
      return {
        network: 'bridge',
        address: `$HOST:${out}`,
        why: "127.0.0.1 is the container's own; HOST is its agent, which a bridge reaches",
      };
    case 'container':
      return {
        network: 'container',
        address: `$HOST:${out}`,
        why: "127.0.0.1 is the container's own; HOST is its agent, if the network has a route to it",
      };
    case 'other':
      return {
        network: 'not known here',
        address: `\${MESOS_AGENT_ENDPOINT%:*}:${out}`,
        why: 'Mesos sets MESOS_AGENT_ENDPOINT for executors, and most pass it on to their tasks; frameworks may set another variable',
      };
  }
}

export function judgeApp(
  id: string,
  app: AppFacts | null,
  { ports, bind }: Pick<SchedulerConfig, 'ports' | 'bind'>,
): readonly Finding[] {
  if (app === null) {
    return [
      {
        severity: 'error',
        what: 'there is no such app, pod or service',
        subject: id,
        why: 'neither Marathon nor the table of services has it under this name',
        todo: 'nodemesh services lists the names',
      },
    ];
  }
  const { address, why, network } = addressingOf(app.mode, ports.out, bind);
  const what = `its network is ${network}: the proxy of its node is at ${address}`;
  const findings: Finding[] = [
    { severity: 'note', what, subject: `${app.kind === 'other' ? 'service' : app.kind} ${app.id}`, why, todo: null },
  ];
  if (app.places.length === 0) {
    findings.push(unknown(app.id, 'nothing could be tried', 'it has no instance that runs'));
    return findings;
  }
  for (const place of app.places) findings.push(...judgePlace(place, app.mode, ports.out));
  if (app.leftOut > 0)
    findings.push(
      unknown(app.id, `its instances on ${app.leftOut} more agents were not looked at`, 'there are too many'),
    );
  findings.push(notTried(app, ports.out));
  return findings;
}

function judgePlace({ host, ip, answer, hostLeadsTo }: AppPlace, mode: NetworkMode, out: number): readonly Finding[] {
  const node = ip === null || ip === host ? host : `${host} (${ip})`;
  const findings: Finding[] = [];
  switch (answer.kind) {
    case 'ours':
      findings.push(ok(node, `the proxy answers at port ${out}, asked from the machine of the scheduler`));
      break;
    case 'inside':
      return [judgeInside(node, mode, out)];
    case 'other':
      findings.push({
        severity: 'error',
        what: `something else than the proxy answers at port ${out} (status ${answer.status})`,
        subject: node,
        why: 'its answer does not carry the header of our proxy',
        todo: `ss -ltnp 'sport = :${out}' on the node says who has the port`,
      });
      break;
    case 'failed':
      findings.push({
        severity: 'error',
        what: `the proxy does not answer at port ${out}`,
        subject: node,
        why: answer.reason,
        todo: `nodemesh why ${host}; the way from the scheduler to the node may be closed too`,
      });
  }
  if (hostLeadsTo === null || ip === null || hostLeadsTo.includes(ip)) return findings;
  findings.push({
    severity: 'warning',
    what:
      hostLeadsTo.length === 0
        ? 'HOST is a name that this machine does not find'
        : `HOST is a name that leads to ${hostLeadsTo.join(', ')}, and not to the agent (${ip})`,
    subject: host,
    why: 'HOST is the hostname of the agent (--hostname of mesos-agent)',
    todo: `look whether the app finds it; else give it the address itself, or set --hostname to ${ip}`,
  });
  return findings;
}

/** On a public agent, where the proxy is for the agent's own network alone. */
function judgeInside(node: string, mode: NetworkMode, out: number): Finding {
  if (mode === 'bridge' || mode === 'container') {
    return {
      severity: 'error',
      what: 'the app does not reach the proxy of this node',
      subject: node,
      why: 'on a public agent the proxy listens on 127.0.0.1 alone (--public-listeners edge), which a container has of its own',
      todo: 'run the app in host mode, or on private agents; or set --public-listeners all, and keep the ports from outside by other means',
    };
  }
  const what = `this node is a public agent: the proxy is at 127.0.0.1:${out} there, and not at HOST; it was not asked`;
  return unknown(node, what, 'nobody but its own node reaches it (--public-listeners edge)');
}

/** What only somebody in the container can see, and how to see it. */
function notTried(app: AppFacts, out: number): Finding {
  const tasks = someOf(
    app.places.map(({ taskId }) => taskId),
    1,
  );
  const address = app.mode === 'other' ? addressingOf('other', out, 'node').address : `$HOST:${out}`;
  return {
    severity: 'unknown',
    what: 'from inside the task it was not tried',
    subject: tasks,
    why: 'the scheduler cannot enter the network of a task: a firewall or a route that is missing between them is not seen from here',
    todo: `in the task: curl -sI -H 'Host: doctor.nodemesh.invalid' http://${address}/ (any answer with l5d-err comes from the proxy)`,
  };
}
