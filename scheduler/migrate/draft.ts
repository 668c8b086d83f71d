/**
 * What a move comes to, while it is put together: options of the package, the configuration of the proxies, dtabs, and one
 * finding for each setting that was looked at. Nothing of what was set may be missing among the findings.
 */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';

/**
 * `taken`: it is the same here. `changed`: it is something else here, and why. `left-out`: it has no counterpart, and why.
 * `not-understood`: a person has to look at it.
 */
export type Verdict = 'taken' | 'changed' | 'left-out' | 'not-understood';

export interface Finding {
  /** Where it was set: `linkerd.cpus`, `app.constraints[0]`, `config.routers[0].dtab`. */
  readonly place: string;
  /** As it was set, in short; without secrets. */
  readonly value: string;
  readonly verdict: Verdict;
  /** Where it is set now; null where nowhere. */
  readonly becomes: string | null;
  readonly why: string | null;
}

/** The options of the package (dcos-package/universe/config.json) that a move sets. */
export type OptionName =
  | 'service.service_account_secret'
  | 'proxies.cpus'
  | 'proxies.mem'
  | 'proxies.disk'
  | 'proxies.outgoing_port'
  | 'proxies.incoming_port'
  | 'proxies.admin_port'
  | 'proxies.edge_port'
  | 'proxies.public_agents'
  | 'proxies.public_listeners'
  | 'proxies.user'
  | 'proxies.constraints'
  | 'mesh.config'
  | 'discovery.marathons'
  | 'discovery.marathon_credential_secret'
  | 'tls.ca_file';

export type OptionValue = string | number | boolean | readonly string[];

export type Block = Readonly<Record<string, unknown>>;

/** A dtab for a namespace of the scheduler. */
export interface MovedDtab {
  readonly namespace: string;
  readonly text: string;
}

export interface Migration {
  /** By group, as an options file has them. */
  readonly options: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** The linkerd.yaml for the proxies, which is in `options` in base64 too; null where the defaults do. */
  readonly config: string | null;
  readonly dtabs: readonly MovedDtab[];
  readonly findings: readonly Finding[];
}

export class Draft {
  readonly #options = new Map<OptionName, OptionValue>();
  readonly #findings: Finding[] = [];
  readonly #dtabs = new Map<string, string>();
  config: string | null = null;

  set(name: OptionName, value: OptionValue): void {
    this.#options.set(name, value);
  }

  get(name: OptionName): OptionValue | undefined {
    return this.#options.get(name);
  }

  taken(place: string, value: unknown, becomes: string, why: string | null = null): void {
    this.#find(place, value, 'taken', becomes, why);
  }

  changed(place: string, value: unknown, becomes: string | null, why: string): void {
    this.#find(place, value, 'changed', becomes, why);
  }

  leftOut(place: string, value: unknown, why: string): void {
    this.#find(place, value, 'left-out', null, why);
  }

  notUnderstood(place: string, value: unknown, why: string): void {
    this.#find(place, value, 'not-understood', null, why);
  }

  /** Of two for one namespace the later one wins, and both are told. */
  dtab(namespace: string, text: string, place: string): void {
    const before = this.#dtabs.get(namespace);
    if (before !== undefined && before !== text) {
      this.notUnderstood(
        place,
        text,
        `the namespace ${namespace} has another dtab from elsewhere too; this one is in its file, put them together by hand`,
      );
    }
    this.#dtabs.set(namespace, text);
  }

  result(): Migration {
    const options: Record<string, Record<string, OptionValue>> = {};
    for (const [name, value] of this.#options) {
      const [group = '', key = ''] = name.split('.');
      options[group] = { ...options[group], [key]: value };
    }
    return {
      options,
      config: this.config,
      dtabs: [...this.#dtabs].map(([namespace, text]) => ({ namespace, text })),
      findings: withoutTwice(this.#findings),
    };
  }

  #find(place: string, value: unknown, verdict: Verdict, becomes: string | null, why: string | null): void {
    this.#findings.push({ place, value: shown(place, value), verdict, becomes, why });
  }
}

/** What was taken over first and then turned out not to do is told once. */
function withoutTwice(findings: readonly Finding[]): Finding[] {
  const otherwise = new Set(findings.filter(({ verdict }) => verdict !== 'taken').map(({ place }) => place));
  return findings.filter(({ place, verdict }) => verdict !== 'taken' || !otherwise.has(place));
}

const MAX_SHOWN = 120;
const SECRET = /token|secret|password|passwd|credential|auth|private/i;

/** One line; what may be a secret is not said. */
function shown(place: string, value: unknown): string {
  if (SECRET.test(place) && typeof value === 'string') return '(not shown)';
  const hidden = JSON.stringify(value, (key, inner: unknown) =>
    SECRET.test(key) && typeof inner === 'string' ? '(not shown)' : inner,
  );
  const text = typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : (hidden ?? 'nothing');
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
}

export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

export function wholeNumber(value: unknown, least: number, most: number): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : null;
}
