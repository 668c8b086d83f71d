/** What stories say of an agent in a few words, made into what Mesos would say. */
import type { AgentView } from '../../framework/agent.ts';
import type { ListedAgent } from '../../framework/daemonset/events.ts';
import { agentId, type Offer, offerSchema, type Resource } from '../../framework/mesos-http-client/messages.ts';

export interface OfferSketch {
  cpus?: number;
  mem?: number;
  ports?: [number, number][];
  role?: string;
  /** STATIC, to this role. */
  reservedTo?: string;
  unavailableFrom?: number;
  /** Milliseconds from `unavailableFrom` on; for ever, if absent. */
  unavailableFor?: number;
  /** Instead of what follows from the figures above. */
  resources?: Resource[];
  region?: string;
  zone?: string;
  attributes?: Record<string, string>;
}

export function offerOf(id: string, agent: string, sketch: OfferSketch): Offer {
  const role = sketch.role ?? 'nodemesh';
  const shape = {
    reservations: sketch.reservedTo === undefined ? [] : [{ type: 'STATIC' as const, role: sketch.reservedTo }],
    allocation_info: { role },
  };
  const ports = sketch.ports ?? [[4000, 5000]];
  const resources: Resource[] = sketch.resources ?? [
    { name: 'cpus', type: 'SCALAR', scalar: { value: sketch.cpus ?? 4 }, ...shape },
    { name: 'mem', type: 'SCALAR', scalar: { value: sketch.mem ?? 4096 }, ...shape },
    { name: 'ports', type: 'RANGES', ranges: { range: ports.map(([begin, end]) => ({ begin, end })) }, ...shape },
  ];
  return offerSchema.parse({
    id: { value: id },
    framework_id: { value: 'f-1' },
    agent_id: { value: agent },
    hostname: `${agent}.example`,
    url: { scheme: 'http', address: { hostname: agent, ip: '10.0.0.1', port: 5051 } },
    resources,
    attributes: Object.entries(sketch.attributes ?? {}).map(([name, value]) => ({
      name,
      type: 'TEXT',
      text: { value },
    })),
    allocation_info: { role },
    ...(sketch.unavailableFrom === undefined
      ? {}
      : {
          unavailability: {
            start: { nanoseconds: sketch.unavailableFrom * 1e6 },
            ...(sketch.unavailableFor === undefined ? {} : { duration: { nanoseconds: sketch.unavailableFor * 1e6 } }),
          },
        }),
    ...(sketch.region === undefined && sketch.zone === undefined
      ? {}
      : { domain: { fault_domain: { region: { name: sketch.region ?? '' }, zone: { name: sketch.zone ?? '' } } } }),
  });
}

export type ListedSketch = Partial<Omit<ListedAgent, 'view'>> & { view?: Partial<AgentView> };

export function listed(name: string, more: ListedSketch = {}): ListedAgent {
  const view = {
    agentId: agentId(name),
    hostname: `${name}.example`,
    ip: '10.0.0.1',
    port: 5051,
    isPublic: false,
    attributes: {},
    region: null,
    zone: null,
    ...more.view,
  };
  return { deactivated: false, ports: [{ begin: 1, end: 65_535 }], holdsOurs: null, ...more, view };
}
