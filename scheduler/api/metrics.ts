/** The scheduler's own metrics, read from the control plane when somebody asks. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { NodeState } from '../../framework/index.ts';
import type { ControlPlane } from '../control-plane.ts';

const NODE_STATES: readonly NodeState[] = ['pending', 'launching', 'healthy', 'unhealthy', 'draining', 'lost'];

export function createMetrics(plane: () => ControlPlane | null): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: (plane: ControlPlane) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const current = plane();
        this.set(current === null ? 0 : read(current));
      },
    });
  };
  const counter = (
    name: string,
    help: string,
    label: string | null,
    read: (plane: ControlPlane) => Record<string, number>,
  ): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      labelNames: label === null ? [] : [label],
      collect() {
        const current = plane();
        if (current === null) return;
        // What is counted elsewhere is shown as it stands.
        this.reset();
        for (const [key, value] of Object.entries(read(current))) {
          if (label === null) this.inc(value);
          else this.inc({ [label]: key }, value);
        }
      },
    });
  };

  new Gauge({
    name: 'nodemesh_nodes',
    help: 'Agents by the state of their proxy',
    registers: [registry],
    labelNames: ['state'],
    collect() {
      const states =
        plane()
          ?.nodes()
          .map((node) => node.status.state) ?? [];
      for (const state of NODE_STATES) this.set({ state }, states.filter((each) => each === state).length);
    },
  });
  new Gauge({
    name: 'nodemesh_endpoints',
    help: 'Endpoints of all services, by state',
    registers: [registry],
    labelNames: ['state'],
    collect() {
      const all =
        plane()
          ?.services()
          .flatMap((service) => service.endpoints.map((endpoint) => endpoint.state)) ?? [];
      for (const state of ['ready', 'unhealthy', 'draining']) {
        this.set({ state }, all.filter((each) => each === state).length);
      }
    },
  });
  gauge('nodemesh_services', 'Services known', (p) => p.services().length);
  gauge('nodemesh_table_revision', 'Revision of the table of services and agents', (p) => p.revision);
  gauge('nodemesh_leader_epoch', 'Epoch of this leader', (p) => p.epoch);
  gauge('nodemesh_control_sessions', 'Control sessions of proxies', (p) => p.sessions);
  gauge('nodemesh_mesos_subscribed', '1 while subscribed to the Mesos master', (p) => Number(p.framework.subscribed()));
  gauge('nodemesh_marathon_connected', "1 while Marathon's event stream is in place", (p) =>
    Number(p.discovery.connected),
  );

  counter('nodemesh_digest_mismatches_total', 'Tables of proxies found wrong and sent again', 'why', (p) => ({
    digest: 0,
    behind: 0,
    'other-table': 0,
    ...Object.fromEntries(p.repairs),
  }));
  counter('nodemesh_marathon_events_total', 'Events of Marathon', 'type', (p) => ({
    ...p.discovery.counters().events,
  }));
  counter('nodemesh_marathon_requests_total', 'Answers of Marathon to discovery', 'kind', (p) => {
    const { lists, singleApps } = p.discovery.counters();
    return { list: lists, app: singleApps };
  });
  const ofDiscovery = {
    nodemesh_marathon_failures_total: ['Requests to Marathon that failed', 'failures'],
    nodemesh_marathon_connections_total: ["Connections of Marathon's event stream", 'connections'],
    nodemesh_marathon_unreadable_events_total: ['Events that could not be read', 'unreadableEvents'],
    nodemesh_marathon_lists_held_total: ['Lists that lacked most apps and were not believed at first', 'held'],
  } as const;
  for (const [name, [help, key]] of Object.entries(ofDiscovery)) {
    counter(name, help, null, (p) => ({ total: p.discovery.counters()[key] }));
  }
  const ofFramework = {
    nodemesh_framework_launches_total: ['Proxy tasks launched', 'launches'],
    nodemesh_framework_offers_received_total: ['Offers received', 'offersReceived'],
    nodemesh_framework_offers_declined_total: ['Offers declined', 'offersDeclined'],
    nodemesh_framework_status_updates_total: ['Status updates received', 'statusUpdates'],
    nodemesh_framework_subscriptions_total: ['Subscriptions to a master', 'subscriptions'],
    nodemesh_framework_reconciliations_total: ['Reconciliations', 'reconciliations'],
  } as const;
  for (const [name, [help, key]] of Object.entries(ofFramework)) {
    counter(name, help, null, (p) => ({ total: p.framework.counters()[key] }));
  }
  return registry;
}
