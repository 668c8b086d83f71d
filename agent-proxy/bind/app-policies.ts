/**
 * What the labels of apps say of the clients and services behind their names (documents `settings` of the table), and who
 * has to be told when that changes. One for a process.
 */
import type { PortPolicy } from '../config/policy-fragments.ts';
import type { ClientLayer } from '../config/schema/client.ts';
import type { ServiceLayer } from '../config/schema/service.ts';
import type { ServiceSettings } from '../control/contract.ts';
import { Listeners } from '../routing/listeners.ts';
import type { Path } from '../routing/path.ts';
import { portsOf } from '../routing/service-ports.ts';
import type { ServiceTable } from '../routing/service-table.ts';

/** Layers that go over those of the configuration, and what is no matter of layers. */
export interface AppPolicy {
  readonly client: readonly ClientLayer[];
  readonly service: readonly ServiceLayer[];
  /** Milliseconds; 0: no slow start. */
  readonly slowStartMs: number;
}

/** An app, as the table names it, and one of its ports. */
export interface AppPort {
  readonly app: string;
  /** A name or an index; null: the first. */
  readonly port: string | null;
}

const NOTHING: AppPolicy = { client: [], service: [], slowStartMs: 0 };
const MARATHON = 'io.l5d.marathon';

type Reader = typeof import('../config/policy-fragments.ts').readPolicies;

export class AppPolicies {
  private readonly table: ServiceTable;
  private readonly warn: (message: string) => void;
  private readonly listeners = new Listeners<ReadonlySet<string>>();
  /** By app; those that were read. */
  private readonly policies = new Map<string, readonly PortPolicy[]>();
  /** Null until there is something to read: the schema is no part of what most workers load. */
  private reader: Reader | null = null;
  private isLoading = false;

  constructor(table: ServiceTable, warn: (message: string) => void) {
    this.table = table;
    this.warn = warn;
    for (const { settings } of table.documents('settings')) this.need(settings);
    table.onChange(({ documents, documentsRemoved }) => {
      const apps = new Set<string>();
      for (const document of documents) {
        if (document.kind !== 'settings') continue;
        this.need(document.settings);
        apps.add(document.name);
      }
      for (const { kind, name } of documentsRemoved) if (kind === 'settings') apps.add(name);
      this.tell(apps);
    });
  }

  /** What holds for an app's port now. */
  of({ app, port }: AppPort): AppPolicy {
    const settings = this.table.document('settings', app)?.settings;
    if (settings === undefined) return NOTHING;
    const { slowStartMs } = settings;
    const policies = this.read(app, settings);
    if (policies.length === 0) return slowStartMs === 0 ? NOTHING : { ...NOTHING, slowStartMs };
    const name = this.portName(app, port);
    const matching = policies.filter((policy) => policy.port === null || policy.port === name);
    return {
      client: matching.flatMap(({ client }) => client),
      service: matching.flatMap(({ service }) => service),
      slowStartMs,
    };
  }

  /** The listener hears of apps whose policy may be another one. Returns how to stop. */
  onChange(listener: (apps: ReadonlySet<string>) => void): () => void {
    return this.listeners.add(listener);
  }

  private read(app: string, { policies }: ServiceSettings): readonly PortPolicy[] {
    if (policies.length === 0 || this.reader === null) return [];
    const known = this.policies.get(app);
    if (known !== undefined) return known;
    const refused = (reason: string): void => this.warn(`labels of ${app}: a policy is ignored: ${reason}`);
    const read = this.reader(policies, refused);
    this.policies.set(app, read);
    return read;
  }

  private tell(apps: ReadonlySet<string>): void {
    if (apps.size === 0) return;
    for (const app of apps) this.policies.delete(app);
    this.listeners.tell(apps);
  }

  private need({ policies }: ServiceSettings): void {
    if (policies.length === 0 || this.reader !== null || this.isLoading) return;
    this.isLoading = true;
    import('../config/policy-fragments.ts').then(
      ({ readPolicies }) => {
        this.reader = readPolicies;
        this.tell(new Set(Array.from(this.table.documents('settings'), ({ name }) => name)));
      },
      (error: unknown) => this.warn(`the labels of apps cannot be read: ${String(error)}`),
    );
  }

  /** The name of a port, however it was named. */
  private portName(app: string, port: string | null): string | null {
    const known = portsOf(this.table, app);
    if (known === null) return port;
    const { first, ports } = known;
    if (port === null) return first;
    const index = /^\d{1,3}$/.test(port) ? Number(port) : -1;
    const found =
      ports.find(({ name }) => name === port) ?? ports.find((each, position) => (each.index ?? position) === index);
    return found?.name ?? port;
  }
}

/** The app that a bound name is of: `/%/io.l5d.port/4141/#/io.l5d.marathon/team/api:admin`. Null where it is none of a table. */
export function appOf(id: Path): AppPort | null {
  const [namer, ...rest] = id.slice(id.indexOf('#') + 1);
  if (namer === undefined || rest.length === 0 || !id.includes('#')) return null;
  const name = (namer === MARATHON ? rest : [`#${namer}`, ...rest]).join('/');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon === -1 ? { app: name, port: null } : { app: name.slice(0, colon), port: name.slice(colon + 1) };
}
