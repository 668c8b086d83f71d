/** The scheduler's own metrics, read from the control plane when somebody asks. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { FrameworkCounters, NodeState, PlanStatus, PlanView } from '../../framework/index.ts';
import type { ControlPlane } from '../control-plane.ts';

// Records, so that what is new to the framework is missing here when the types are checked.
const NODE_STATES: Readonly<Record<NodeState, true>> = {
  pending: true,
  launching: true,
  healthy: true,
  unhealthy: true,
  draining: true,
  lost: true,
  excluded: true,
};
const PLAN_STATUSES: Readonly<Record<PlanStatus, true>> = {
  PENDING: true,
  IN_PROGRESS: true,
  WAITING: true,
  COMPLETE: true,
  ERROR: true,
};
const OF_FRAMEWORK: Readonly<Record<keyof FrameworkCounters, readonly [name: string, help: string]>> = {
  launches: ['launches', 'Proxy tasks launched'],
  kills: ['kills', 'Kills of proxy tasks'],
  offersReceived: ['offers_received', 'Offers received'],
  offersDeclined: ['offers_declined', 'Offers declined'],
  unreserved: ['unreserved', 'Reservations given back'],
  revives: ['revives', 'Calls for all offers anew'],
  statusUpdates: ['status_updates', 'Status updates received'],
  subscriptions: ['subscriptions', 'Subscriptions to a master'],
  reconciliations: ['reconciliations', 'Reconciliations'],
};

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
      for (const state of Object.keys(NODE_STATES)) this.set({ state }, states.filter((each) => each === state).length);
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
      for (const state of ['ready', 'suspect', 'unhealthy', 'draining']) {
        this.set({ state }, all.filter((each) => each === state).length);
      }
    },
  });
  new Gauge({
    name: 'nodemesh_plan_status',
    help: '1 for the status that a plan has',
    registers: [registry],
    labelNames: ['plan', 'status'],
    collect() {
      this.reset();
      for (const plan of plansOf(plane())) {
        for (const status of Object.keys(PLAN_STATUSES)) {
          this.set({ plan: plan.name, status }, Number(plan.status === status));
        }
      }
    },
  });
  new Gauge({
    name: 'nodemesh_plan_steps',
    help: 'Steps of a plan, by status',
    registers: [registry],
    labelNames: ['plan', 'status'],
    collect() {
      this.reset();
      for (const plan of plansOf(plane())) {
        const steps = plan.phases.flatMap((phase) => phase.steps.map((step) => step.status));
        for (const status of Object.keys(PLAN_STATUSES)) {
          this.set({ plan: plan.name, status }, steps.filter((each) => each === status).length);
        }
      }
    },
  });
  gauge('nodemesh_frozen', '1 while an operator has frozen all changes but repair', (p) => Number(p.framework.frozen));
  gauge('nodemesh_services', 'Services known', (p) => p.services().length);
  gauge('nodemesh_table_revision', 'Revision of the table of services and agents', (p) => p.revision);
  gauge('nodemesh_leader_epoch', 'Epoch of this leader', (p) => p.epoch);
  gauge('nodemesh_control_sessions', 'Control sessions of proxies', (p) => p.sessions);
  gauge('nodemesh_mesos_subscribed', '1 while subscribed to the Mesos master', (p) => Number(p.framework.subscribed()));
  gauge('nodemesh_marathon_connected', "1 while Marathon's event stream is in place", (p) =>
    Number(p.discovery.connected),
  );

  gauge('nodemesh_mesos_discovery_connected', "1 while Mesos' operator stream is in place", (p) =>
    Number(p.mesos?.connected ?? false),
  );
  new Gauge({
    name: 'nodemesh_mesos_discovery_tasks',
    help: 'Tasks that Mesos tells of: with a name here, of Marathon, and others',
    registers: [registry],
    labelNames: ['kind'],
    collect() {
      for (const [kind, count] of Object.entries(plane()?.mesos?.tasks() ?? {})) this.set({ kind }, count);
    },
  });

  counter('nodemesh_mesos_discovery_events_total', "Events of Mesos' operator stream", 'type', (p) => ({
    ...p.mesos?.counters().events,
  }));
  const ofMesos = {
    nodemesh_mesos_discovery_connections_total: ["Connections of Mesos' operator stream", 'connections'],
    nodemesh_mesos_discovery_unreadable_total: ['Tasks and frameworks that could not be read', 'unreadable'],
    nodemesh_mesos_discovery_ended_total: ["Ends of Marathon's tasks that Mesos told of", 'ended'],
  } as const;
  for (const [name, [help, key]] of Object.entries(ofMesos)) {
    counter(name, help, null, (p) => ({ total: p.mesos?.counters()[key] ?? 0 }));
  }
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
  const keys = Object.keys(OF_FRAMEWORK) as (keyof FrameworkCounters)[];
  for (const key of keys) {
    const [name, help] = OF_FRAMEWORK[key];
    counter(`nodemesh_framework_${name}_total`, help, null, (p) => ({ total: p.framework.counters()[key] }));
  }
  return registry;
}

function plansOf(plane: ControlPlane | null): PlanView[] {
  return (plane?.framework.planNames() ?? []).flatMap((name) => plane?.framework.plan(name) ?? []);
}
