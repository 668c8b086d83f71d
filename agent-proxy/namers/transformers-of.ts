/** The transformers of a configuration. */
import { networkInterfaces } from 'node:os';
import type { TransformerConfig } from '../config/schema/linkerd.ts';
import type { Endpoint } from '../control/contract.ts';
import { normalizeInetHost } from '../routing/inet-address.ts';
import type { AddressSet } from '../routing/names.ts';
import { readPath } from '../routing/path.ts';
import {
  constTransformer,
  localhostTransformer,
  portTransformer,
  replaceTransformer,
  specificHostTransformer,
  subnetGatewayTransformer,
  subnetLocalTransformer,
  type Transformer,
} from '../routing/transformers.ts';

export interface Whereabouts {
  /** Under a scheduler, by agent; null elsewhere. */
  readonly agentId: string | null;
  /** The node's own address, where somebody said (`--node-ip`). */
  readonly nodeIp: string | null;
  /** The addresses behind a name of the configuration. */
  readonly addressesOf: (path: string) => AddressSet;
}

/** Throws an Error where a transformer needs the node's address and nobody said it. */
export function transformersOf(configs: readonly TransformerConfig[], where: Whereabouts): Transformer[] {
  return configs.map((config) => transformerOf(config, where));
}

function transformerOf(config: TransformerConfig, where: Whereabouts): Transformer {
  switch (config.kind) {
    case 'io.l5d.port':
      return portTransformer(config.port);
    case 'io.l5d.localhost':
      return localhostTransformer(localTest(where));
    case 'io.l5d.specificHost':
      return specificHostTransformer([normalizeInetHost(config.host)]);
    case 'io.l5d.replace':
      return replaceTransformer(readPath(config.path));
    case 'io.l5d.const':
      return constTransformer(readPath(config.path));
    case 'io.nodemesh.subnetLocal': {
      const { nodeIp } = where;
      if (nodeIp === null) throw new Error(`${config.kind} needs to know this node's address; say it with --node-ip`);
      return subnetLocalTransformer([config.kind, String(config.prefixLength)], nodeIp, config.prefixLength);
    }
    case 'io.nodemesh.subnetGateway': {
      const name = [config.kind, String(config.prefixLength), ...readPath(config.path)];
      return subnetGatewayTransformer(name, where.addressesOf(config.path), config.prefixLength);
    }
  }
}

/** By agent under a scheduler; by the node's address where that is said; else any address of this machine. */
function localTest({ agentId, nodeIp }: Whereabouts): (endpoint: Endpoint) => boolean {
  if (agentId !== null) return (endpoint) => endpoint.agentId === agentId;
  const own = nodeIp === null ? ownAddresses() : new Set([nodeIp]);
  return ({ address, agentAddress }) => own.has(agentAddress) || own.has(address);
}

function ownAddresses(): Set<string> {
  const addresses = new Set<string>();
  for (const list of Object.values(networkInterfaces())) for (const { address } of list ?? []) addresses.add(address);
  return addresses;
}
