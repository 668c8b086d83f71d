/**
 * What the labels of one app say of it: settings that proxies are told, the weight of its endpoints, and what is wrong
 * with the labels. A label that is not understood is ignored with a reason; it never costs the app the others. Pure.
 */
import { editDistance } from '../../../agent-proxy/config/closest.ts';
import type { ServiceSettings } from '../../../agent-proxy/control/contract.ts';
import type { DefinedPort, PortFacts } from '../../../agent-proxy/routing/marathon-ports.ts';
import { isLabelKey, labelKey, labelKeyNames } from './keys.ts';
import { type EdgeGroups, type Exposed, noSuchPort, readMarathonLb } from './marathon-lb.ts';
import { type LabelNote, Notes } from './notes.ts';
import type { Effect, Fragment } from './values.ts';
import { readVips } from './vips.ts';

export interface LabelledApp extends PortFacts {
  readonly labels: Readonly<Record<string, string>>;
}

export interface AppLabels {
  readonly settings: ServiceSettings;
  /** Of each of its endpoints. */
  readonly weight: number;
  /** By label. */
  readonly notes: readonly LabelNote[];
}

export const NO_SETTINGS: ServiceSettings = { off: false, vips: [], exposed: [], policies: [], slowStartMs: 0 };

const LABEL = /^NODEMESH_(?:(0|[1-9]\d{0,2})_)?([A-Z0-9_]+)$/;

interface Policy {
  service: Fragment;
  client: Fragment;
}

/** `edge`: the groups of marathon-lb that the edge router serves. */
export function settingsOf({ labels, definedPorts }: LabelledApp, edge: EdgeGroups): AppLabels {
  const notes = new Notes();
  const own = new OwnLabels(definedPorts, notes);
  for (const [label, value] of Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))) own.take(label, value);
  const exposed = [...own.exposed, ...readMarathonLb(labels, definedPorts, edge, notes)];
  const vips = readVips(labels, definedPorts, notes);
  // An app that the mesh leaves alone has nothing to say.
  if (own.off) return { settings: { ...NO_SETTINGS, off: true }, weight: 1, notes: notes.sorted() };
  const settings = { off: false, vips, exposed: once(exposed), policies: own.policies(), slowStartMs: own.slowStartMs };
  return { settings, weight: own.weight, notes: notes.sorted() };
}

/** The labels that are ours. */
class OwnLabels {
  off = false;
  weight = 1;
  slowStartMs = 0;
  readonly exposed: Exposed[] = [];
  readonly #ports: readonly DefinedPort[];
  readonly #notes: Notes;
  /** By the index of the port; -1 for all. */
  readonly #policies = new Map<number, Policy>();

  constructor(ports: readonly DefinedPort[], notes: Notes) {
    this.#ports = ports;
    this.#notes = notes;
  }

  take(label: string, value: string): void {
    if (!label.startsWith('NODEMESH_')) return;
    const [, index, name = ''] = LABEL.exec(label) ?? [];
    if (!isLabelKey(name)) {
      this.#notes.add(label, unknownKey(label.slice('NODEMESH_'.length)));
      return;
    }
    const key = labelKey(name);
    if (index !== undefined && key.of === 'app') {
      this.#notes.add(label, `holds for the whole app only: write NODEMESH_${name}; the label is ignored`);
      return;
    }
    if (index !== undefined && this.#ports[Number(index)] === undefined) {
      this.#notes.add(label, noSuchPort(Number(index), this.#ports.length));
      return;
    }
    const effect = this.#notes.read(label, key.value, value);
    if (effect !== null) this.#apply(effect, index === undefined ? -1 : Number(index));
  }

  /** For all ports first, then for each. */
  policies(): ServiceSettings['policies'] {
    return [...this.#policies]
      .sort(([a], [b]) => a - b)
      .map(([index, { service, client }]) => {
        return { port: index === -1 ? null : this.#portName(index), service: { ...service }, client: { ...client } };
      });
  }

  #apply(effect: Effect, index: number): void {
    switch (effect.kind) {
      case 'off':
        this.off = effect.off;
        return;
      case 'weight':
        this.weight = effect.weight;
        return;
      case 'slow-start':
        this.slowStartMs = effect.ms;
        return;
      case 'exposed':
        for (const place of effect.places) {
          this.exposed.push({
            ...place,
            port: this.#portName(Math.max(0, index)),
            redirectToHttps: false,
            sticky: false,
          });
        }
        return;
      case 'client':
        this.#policy(index).client = { ...this.#policy(index).client, ...effect.fragment };
        return;
      case 'service':
        this.#policy(index).service = { ...this.#policy(index).service, ...effect.fragment };
        return;
      case 'nothing':
        return;
    }
  }

  #policy(index: number): Policy {
    const policy = this.#policies.get(index) ?? { service: {}, client: {} };
    this.#policies.set(index, policy);
    return policy;
  }

  #portName(index: number): string {
    return this.#ports[index]?.name ?? `port${index}`;
  }
}

function unknownKey(rest: string): string {
  const [, index, name = rest] = /^(\d+)_(.*)$/.exec(rest) ?? [];
  const front = index === undefined ? 'NODEMESH_' : `NODEMESH_${index}_`;
  // Half of what was written may be wrong: RETRY is meant to be RETRIES.
  const limit = Math.max(2, Math.ceil(name.length / 2));
  const [nearest] = labelKeyNames()
    .map((key) => ({ key, distance: editDistance(name.toUpperCase(), key, limit) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return nearest === undefined
    ? `is not known; the keys are ${labelKeyNames().join(', ')}`
    : `is not known; did you mean ${front}${nearest.key}?`;
}

/** The first of those at one host and path. */
function once(exposed: readonly Exposed[]): Exposed[] {
  const seen = new Set<string>();
  return exposed.filter(({ host, path }) => {
    const place = host + path;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}
