/** Who binds the names of a proxy: its namers and, for each router, its interpreter. */
import type { RouterConfig } from './config/schema/linkerd.ts';
import type { ProxySpec } from './config/spec.ts';
import { makeInterpreter } from './interpreter/make-interpreter.ts';
import { DirectoryWatches } from './namers/directory-watches.ts';
import { InetAddresses } from './namers/inet.ts';
import { type MadeNamers, makeNamers } from './namers/make-namers.ts';
import { transformersOf, type Whereabouts } from './namers/transformers-of.ts';
import type { Interpreter } from './routing/binding.ts';
import { readPath } from './routing/path.ts';
import type { ServiceTable } from './routing/service-table.ts';
import { tableNamers } from './routing/table-names/table-namers.ts';
import { type Inet, lookupUtility } from './routing/utility-namers.ts';

export interface Names {
  readonly namers: MadeNamers;
  /** Throws an Error where the configuration asks for what is not there. */
  interpreterOf(config: RouterConfig): Interpreter;
  close(): void;
}

/** `table` is the scheduler's; null without one. Throws an Error for what cannot work, whatever may come. */
export function makeNames(
  spec: ProxySpec,
  table: ServiceTable | null,
  { random, warn }: { readonly random: () => number; readonly warn: (message: string) => void },
): Names {
  const inet = new InetAddresses();
  const inetOf: Inet = (host, port, refresh) => inet.of(host, port, refresh);
  const watches = new DirectoryWatches();
  const where: Whereabouts = {
    agentId: spec.mesh?.agentId ?? null,
    nodeIp: spec.nodeIp,
    addressesOf: (path) => addressesOf(path, inetOf),
  };
  const { credentials } = spec;
  const common = { ...{ inet, watches, credentials, random, warn }, now: Date.now };
  const namers = makeNamers(spec.namers, {
    ...common,
    transformersOf: (configs) => transformersOf(configs, where),
  });
  const scheduler = table === null ? null : { table, ...tableNamers(table) };
  return {
    namers,
    interpreterOf: ({ interpreter, nodemesh }) =>
      makeInterpreter(interpreter, {
        namers: namers.namers,
        scheduler,
        inet: inetOf,
        transformers: transformersOf(interpreter.transformers, where),
        watches,
        localMayNameAddresses: nodemesh.linkerdCompat || nodemesh.localDtab === 'any',
        warn,
      }),
    close() {
      namers.close();
      scheduler?.close();
    },
  };
}

/** Gateways are named by their addresses (`/$/inet/host/port`). */
function addressesOf(path: string, inet: Inet) {
  const answer = lookupUtility(readPath(path), inet);
  if (answer.kind === 'ok' && answer.value.kind === 'leaf' && answer.value.value.kind === 'bound') {
    return answer.value.value.bound.addresses;
  }
  throw new Error(`${path} is not a name of the form /$/inet/host/port, which gateways have`);
}
