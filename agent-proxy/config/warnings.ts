/** What is accepted and does not do what one may expect: one line each. */
import { showPlace } from './place.ts';
import type { ProxyConfig } from './schema/linkerd.ts';
import { type SchemaNode, writtenKeys } from './schema-tree.ts';

/** Where Zipkin's Scribe collector listens. */
const SCRIBE_PORT = 9410;

export function warningsOf(document: unknown, config: ProxyConfig, root: SchemaNode): string[] {
  const warnings: string[] = [];
  for (const { place, node } of writtenKeys(root, document)) {
    if (node.noEffect !== undefined) warnings.push(`${showPlace(place)}: has no effect: ${node.noEffect}`);
  }
  for (const [index, telemeter] of config.telemetry.entries()) {
    if (telemeter.kind !== 'io.l5d.zipkin' || telemeter.port !== SCRIBE_PORT) continue;
    warnings.push(
      `telemetry[${index}].port: ${SCRIBE_PORT} is the port of Scribe, and spans are sent as v2 JSON over HTTP; Zipkin's port for that is 9411`,
    );
  }
  return warnings;
}
