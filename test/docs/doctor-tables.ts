/** The tables of docs/doctor.md: the checks, and by which address a task reaches the proxy of its node. */
import { CHECKS } from '../../scheduler/doctor/checks.ts';
import { addressingOf, type NetworkMode } from '../../scheduler/doctor/from-app.ts';
import { code, table } from './table.ts';

export function checksTable(): string {
  return table(
    ['check', 'looks at', 'complains of'],
    CHECKS.map(({ name, looksAt, complainsOf }) => [code(name), looksAt, complainsOf]),
  );
}

const OUT = 4_140;

/** What runs in which network, and where a request was really sent this way. A claim here is one of a test. */
const TASKS: readonly (readonly [what: string, mode: NetworkMode, tested: string])[] = [
  ['app, host network', 'host', 'by the end-to-end tests: apps of the embedded cluster call each other so'],
  [
    'app, bridge (Docker, or UCR)',
    'bridge',
    'by hand, from a network namespace behind a veth of the agent: `$HOST` answers, loopback does not. Not with Docker or UCR',
  ],
  ['app, overlay or Calico', 'container', 'not tried: as for a bridge, if the network has a route to the agent'],
  ['pod, host network', 'host', 'not tried: Marathon sets `HOST` in pods as in apps'],
  ['pod, container network', 'container', 'not tried: as for an overlay'],
  ['job of Metronome', 'host', 'not tried: it launches as Marathon does, and is expected to set `HOST`'],
  ['pod of an SDK service', 'other', 'not tried: the variable is of Mesos, and the service may set others'],
];

export function addressesTable(): string {
  return table(
    ['task', 'address, with `--bind node`', 'with `--bind config`', 'why', 'tested'],
    TASKS.map(([what, mode, tested]) => {
      const [node, config] = [addressingOf(mode, OUT, 'node'), addressingOf(mode, OUT, 'config')];
      return [what, code(node.address), config.address.split(' or ').map(code).join(' or '), node.why, tested];
    }),
  );
}
