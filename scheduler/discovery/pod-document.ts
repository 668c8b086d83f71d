/**
 * What discovery reads of a pod: its status (`GET /v2/pods/<id>::status`) and its definitions (`spec` in it, and
 * `GET /v2/pods/<id>::versions/<version>`). As tolerant as the schema of apps is.
 */
import { z } from 'zod';
import { labels, loose, looseList, number, positionalList, text } from '../../agent-proxy/routing/marathon-document.ts';

const podEndpoint = z.object({
  name: text,
  containerPort: number,
  protocol: looseList(z.string()),
  networkNames: looseList(z.string()),
  labels,
});

export const podSpecSchema = z.object({
  version: text,
  labels,
  networks: positionalList(z.object({ mode: text, name: text })),
  containers: looseList(
    z.object({
      name: z.string(),
      endpoints: positionalList(podEndpoint),
      /** Whatever it says: there is one. */
      healthCheck: loose(z.looseObject({})),
    }),
  ),
  scaling: loose(z.object({ instances: number })),
});
export type PodSpec = z.output<typeof podSpecSchema>;

const container = z.object({
  name: z.string(),
  status: text,
  /** The id of its task in Mesos. */
  containerId: text,
  endpoints: looseList(z.object({ name: z.string(), allocatedHostPort: number, healthy: loose(z.boolean()) })),
  conditions: looseList(z.object({ name: z.string(), value: text })),
});
export type PodContainer = z.output<typeof container>;

const instance = z.object({
  id: z.string().min(1),
  status: text,
  statusSince: text,
  agentHostname: text,
  agentId: text,
  networks: looseList(z.object({ name: text, addresses: looseList(z.string()) })),
  containers: looseList(container),
  /** `/v2/pods/web::versions/2024-02-01T10:00:00.000Z` */
  specReference: text,
});
export type PodInstance = z.output<typeof instance>;

export const podStatusSchema = z.object({
  id: z.string().regex(/^\/?[^/]/),
  spec: loose(podSpecSchema),
  instances: looseList(instance),
});
export type PodStatus = z.output<typeof podStatusSchema>;
