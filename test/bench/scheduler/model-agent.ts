/** An agent of the model: what it has, what of it is offered, and how the operator API lists it. */
import type { ListedAgent } from '../../../framework/daemonset/events.ts';
import {
  type AgentId,
  agentId,
  type FrameworkId,
  type Offer,
  offerId,
  type Resource,
  type TaskId,
} from '../../../framework/mesos-http-client/messages.ts';

export const ROLE = 'nodemesh';
/** What a DC/OS agent gives out. */
const PORTS = [
  { begin: 1025, end: 2180 },
  { begin: 2182, end: 3887 },
  { begin: 3889, end: 5049 },
  { begin: 5052, end: 8079 },
  { begin: 8082, end: 8180 },
  { begin: 8182, end: 32_000 },
];

export class ModelAgent {
  readonly id: AgentId;
  readonly #number: number;
  /** Registered with the master. */
  isUp = true;
  task: TaskId | null = null;
  reserved: readonly Resource[] = [];
  /** Offers of it are out. */
  offered = 0;
  /** Its offers are held back until then. */
  filteredUntil = 0;

  constructor(number: number) {
    this.#number = number;
    this.id = agentId(`2f9c5b0e-8a41-4d1c-9a70-1c6f6f0b7e11-S${number}`);
  }

  /** Mesos makes the offer anew each time, so nothing is shared with the one before. */
  offer(id: string, frameworkId: FrameworkId): Offer {
    const plain: Resource[] = [
      { name: 'cpus', type: 'SCALAR', scalar: { value: 7.5 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 28_000 } },
      { name: 'disk', type: 'SCALAR', scalar: { value: 100_000 } },
    ];
    // Where the task has its ports, what is left has more ranges; how many does not matter here.
    if (this.reserved.length === 0) plain.push({ name: 'ports', type: 'RANGES', ranges: { range: PORTS } });
    const free = this.task === null ? [...this.reserved, ...plain] : plain;
    return {
      id: { value: offerId(id) },
      framework_id: { value: frameworkId },
      agent_id: { value: this.id },
      hostname: this.#hostname,
      url: { scheme: 'http', address: { ip: this.#ip, hostname: this.#hostname, port: 5051 }, path: '/slave(1)' },
      domain: { fault_domain: { region: { name: 'west' }, zone: { name: this.#zone } } },
      resources: free.map((resource) => ({ ...resource, allocation_info: { role: ROLE } })),
      attributes: [
        { name: 'rack', type: 'TEXT', text: { value: this.#rack } },
        { name: 'kind', type: 'TEXT', text: { value: 'private' } },
      ],
      executor_ids: [],
      allocation_info: { role: ROLE },
    };
  }

  listed(): ListedAgent {
    return {
      view: {
        agentId: this.id,
        hostname: this.#hostname,
        ip: this.#ip,
        port: 5051,
        isPublic: false,
        attributes: { rack: this.#rack, kind: 'private' },
        region: 'west',
        zone: this.#zone,
      },
      deactivated: false,
      ports: PORTS.map((range) => ({ ...range })),
      holdsOurs: this.reserved.length > 0,
    };
  }

  get #hostname(): string {
    return `agent-${this.#number}.example.net`;
  }

  get #ip(): string {
    return `10.${(this.#number >> 16) & 255}.${(this.#number >> 8) & 255}.${this.#number & 255}`;
  }

  get #rack(): string {
    return `rack-${this.#number % 200}`;
  }

  get #zone(): string {
    return `west-${this.#number % 3}`;
  }
}
