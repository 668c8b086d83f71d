/** What the commands read of the scheduler. */
import {
  healthAnswerSchema,
  type NodeAnswer,
  nodesAnswerSchema,
  type ServiceAnswer,
  servicesAnswerSchema,
  type TrafficAnswer,
  trafficAnswerSchema,
} from '../dashboard/src/model/answers.ts';
import { getJson } from './http.ts';

/** What both tables are made of. */
export interface Tables {
  readonly nodes: readonly NodeAnswer[];
  readonly services: readonly ServiceAnswer[];
  /** Null where the scheduler has no figures (an older one). */
  readonly traffic: TrafficAnswer | null;
  /** An operator has frozen the mesh. */
  readonly frozen: boolean;
  /** The answers as they came, unknown keys and all. */
  readonly raw: { readonly 'v1/nodes': unknown; readonly 'v1/services': unknown };
}

/** One look at the scheduler. Throws an `Error` whose message is for people. */
export async function fetchTables(scheduler: URL, signal?: AbortSignal): Promise<Tables> {
  const options = signal === undefined ? {} : { signal };
  const [nodes, services, traffic, health] = await Promise.all([
    getJson(scheduler, 'v1/nodes', nodesAnswerSchema, options),
    getJson(scheduler, 'v1/services', servicesAnswerSchema, options),
    // The tables are useful without these, and the other two answers say what is wrong with the scheduler.
    getJson(scheduler, 'v1/traffic', trafficAnswerSchema, options).catch(() => null),
    getJson(scheduler, 'v1/health', healthAnswerSchema, options).catch(() => null),
  ]);
  return {
    nodes: nodes.value,
    services: services.value,
    traffic: traffic?.value ?? null,
    frozen: health?.value.frozen === true,
    raw: { 'v1/nodes': nodes.raw, 'v1/services': services.raw },
  };
}
