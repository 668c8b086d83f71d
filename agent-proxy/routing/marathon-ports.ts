/**
 * The ports of a Marathon app or pod as its definition names them, with their labels: what labels with an index speak of,
 * and where VIP labels stand. Pure.
 */

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

type Fields = Readonly<Record<string, unknown>>;

/** An app of `GET /v2/apps`, or the definition (`spec`) of a pod; whatever else has no ports. */
export function portFactsOf(document: unknown): PortFacts {
  const { portDefinitions, ports, container, ipAddress, containers, versionInfo } = fieldsOf(document);
  const { portMappings, docker } = fieldsOf(container);
  const candidates = [
    // Of a pod.
    listOf(containers).flatMap((each) => listOf(fieldsOf(each)['endpoints'])),
    listOf(portMappings),
    listOf(fieldsOf(docker)['portMappings']),
    listOf(fieldsOf(fieldsOf(ipAddress)['discovery'])['ports']),
    listOf(portDefinitions),
    // Service ports: all that there is of an app's ports before `portDefinitions`.
    listOf(ports),
  ];
  const defined = candidates.find(({ length }) => length > 0) ?? [];
  const { lastConfigChangeAt } = fieldsOf(versionInfo);
  return {
    definedPorts: defined.map(portOf),
    configuredAt: typeof lastConfigChangeAt === 'string' ? lastConfigChangeAt : null,
  };
}

function portOf(port: unknown, index: number): DefinedPort {
  const { name, labels } = fieldsOf(port);
  const texts = Object.entries(fieldsOf(labels)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return {
    name: typeof name === 'string' && name !== '' ? name : `port${index}`,
    labels: Object.fromEntries(texts),
  };
}

/** Marathon writes `null` for what is not there. */
function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
