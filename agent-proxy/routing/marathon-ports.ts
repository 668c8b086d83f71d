/**
 * The ports of a Marathon app or pod as its definition names them, with their labels: what labels with an index speak of,
 * and where VIP labels stand. Pure.
 */
import { z } from 'zod';

/** A port definition, a port mapping, or an endpoint of a pod's container. */
export interface DefinedPort {
  /** `port<n>` for one without a name, as instances have it too. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the reading of labels needs besides an app's own labels. */
export interface PortFacts {
  /** In the order of the definition. The position is the index that labels use; pods count through their containers. */
  readonly definedPorts: readonly DefinedPort[];
  /** When the definition changed last, other than in scale; as Marathon writes it. Null where it does not say. */
  readonly configuredAt: string | null;
}

const records = z.array(z.looseObject({}).catch({})).catch([]);

const definition = z.looseObject({
  portDefinitions: records.optional(),
  /** Service ports: all that there is of an app's ports before Marathon 1.5, besides `portDefinitions`. */
  ports: z.array(z.unknown()).catch([]).optional(),
  container: z
    .looseObject({
      portMappings: records.optional(),
      docker: z.looseObject({ portMappings: records.optional() }).catch({}).optional(),
    })
    .catch({})
    .optional(),
  ipAddress: z
    .looseObject({ discovery: z.looseObject({ ports: records.optional() }).catch({}).optional() })
    .catch({})
    .optional(),
  /** Of a pod. */
  containers: z
    .array(z.looseObject({ endpoints: records.optional() }).catch({}))
    .catch([])
    .optional(),
  versionInfo: z
    .looseObject({ lastConfigChangeAt: z.string().optional().catch(undefined) })
    .catch({})
    .optional(),
});

/** An app of `GET /v2/apps`, or the definition (`spec`) of a pod; whatever else has no ports. */
export function portFactsOf(document: unknown): PortFacts {
  const parsed = definition.safeParse(document);
  if (!parsed.success) return { definedPorts: [], configuredAt: null };
  const { portDefinitions, ports, container, ipAddress, containers, versionInfo } = parsed.data;
  const mappings = container?.portMappings ?? container?.docker?.portMappings ?? [];
  const candidates = [
    (containers ?? []).flatMap(({ endpoints }) => endpoints ?? []),
    mappings,
    ipAddress?.discovery?.ports ?? [],
    portDefinitions ?? [],
    (ports ?? []).map(() => ({})),
  ];
  const defined = candidates.find(({ length }) => length > 0) ?? [];
  return {
    definedPorts: defined.map((port, index) => portOf(port, index)),
    configuredAt: versionInfo?.lastConfigChangeAt ?? null,
  };
}

function portOf(port: Readonly<Record<string, unknown>>, index: number): DefinedPort {
  const { name, labels } = port;
  const texts: Record<string, string> = {};
  if (typeof labels === 'object' && labels !== null) {
    for (const [key, value] of Object.entries(labels)) if (typeof value === 'string') texts[key] = value;
  }
  return { name: typeof name === 'string' && name !== '' ? name : `port${index}`, labels: texts };
}
