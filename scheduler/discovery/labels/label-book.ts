/**
 * The labels of all apps side by side: two apps that want the same host and path, or the same VIP, cannot both have it.
 * The one that was configured longer ago has it (then the first by id), and the other is told so. Pure.
 */
import type { Service, ServiceSettings } from '../../../agent-proxy/control/contract.ts';
import type { EdgeGroups, Exposed } from './marathon-lb.ts';
import type { LabelNote } from './notes.ts';
import { type AppLabels, type LabelledApp, NO_SETTINGS, settingsOf } from './settings.ts';
import type { Vip } from './vips.ts';

export interface BookedApp extends LabelledApp {
  /** Of its service. */
  readonly name: string;
}

interface Reading extends AppLabels {
  readonly name: string;
  readonly configuredAt: number;
}

const OURS = /^(NODEMESH_|HAPROXY_|VIP_)/;
const SAYS_NOTHING = JSON.stringify(NO_SETTINGS);

export class LabelBook {
  readonly #edge: EdgeGroups;
  /** Of apps whose labels say anything, or are wrong. */
  readonly #readings = new Map<string, Reading>();
  /** Who claims a place: usually one. */
  readonly #claims = new Map<string, Set<string>>();

  /** `edge`: the groups of marathon-lb that the edge router serves. */
  constructor(edge: EdgeGroups) {
    this.#edge = edge;
  }

  /** Takes an app as it is now. Returns the services whose settings may be others than before, its own among them. */
  put(app: BookedApp): ReadonlySet<string> {
    const touched = this.remove(app.name);
    // Most apps say nothing, and each is looked at with every change of its tasks.
    if (!concernsUs(app)) return touched;
    const labels = settingsOf(app, this.#edge);
    const time = app.configuredAt === null ? Number.NaN : Date.parse(app.configuredAt);
    const reading = { ...labels, name: app.name, configuredAt: Number.isNaN(time) ? Number.POSITIVE_INFINITY : time };
    if (saysNothing(reading)) return touched;
    this.#readings.set(app.name, reading);
    for (const place of placesOf(reading)) {
      const claimants = this.#claims.get(place) ?? new Set();
      this.#claims.set(place, claimants.add(app.name));
      for (const name of claimants) touched.add(name);
    }
    return touched;
  }

  /** The same for an app that is gone. */
  remove(name: string): Set<string> {
    const touched = new Set([name]);
    const before = this.#readings.get(name);
    if (before === undefined) return touched;
    this.#readings.delete(name);
    for (const place of placesOf(before)) {
      const claimants = this.#claims.get(place);
      claimants?.delete(name);
      if (claimants?.size === 0) this.#claims.delete(place);
      for (const other of claimants ?? []) touched.add(other);
    }
    return touched;
  }

  /** What proxies are to be told of a service; null where there is nothing to tell. */
  settings(name: string): ServiceSettings | null {
    const reading = this.#readings.get(name);
    if (reading === undefined) return null;
    const { settings } = reading;
    const told = {
      ...settings,
      vips: settings.vips.filter((vip) => this.#holder(placeOfVip(vip)) === name),
      exposed: settings.exposed.filter((exposed) => this.#holder(placeOfExposed(exposed)) === name),
    };
    return JSON.stringify(told) === SAYS_NOTHING ? null : told;
  }

  /** The service with the weight that its app asks for. */
  weighted(service: Service): Service {
    const weight = this.#readings.get(service.name)?.weight ?? 1;
    if (weight === 1) return service;
    return { ...service, endpoints: service.endpoints.map((endpoint) => ({ ...endpoint, weight })) };
  }

  /** What is wrong with the labels of a service's app. */
  notes(name: string): readonly LabelNote[] {
    const reading = this.#readings.get(name);
    if (reading === undefined) return [];
    const lost = placesOf(reading).flatMap((place) => {
      const holder = this.#holder(place);
      return holder === name
        ? []
        : [{ label: place, message: `${holder} has it, which was configured before this app` }];
    });
    return [...reading.notes, ...lost];
  }

  /** Of several that claim a place. */
  #holder(place: string): string | undefined {
    let best: Reading | undefined;
    for (const name of this.#claims.get(place) ?? []) {
      const reading = this.#readings.get(name);
      if (reading !== undefined && (best === undefined || isBefore(reading, best))) best = reading;
    }
    return best?.name;
  }
}

function concernsUs({ labels, definedPorts }: BookedApp): boolean {
  for (const label in labels) if (OURS.test(label)) return true;
  return definedPorts.some((port) => Object.keys(port.labels).some((label) => OURS.test(label)));
}

function isBefore(a: Reading, b: Reading): boolean {
  return a.configuredAt === b.configuredAt ? a.name < b.name : a.configuredAt < b.configuredAt;
}

function saysNothing({ settings, weight, notes }: Reading): boolean {
  return weight === 1 && notes.length === 0 && JSON.stringify(settings) === SAYS_NOTHING;
}

function placesOf({ settings }: Reading): string[] {
  return [...settings.exposed.map(placeOfExposed), ...settings.vips.map(placeOfVip)];
}

const placeOfExposed = ({ host, path }: Exposed): string => `host ${host}${path}`;
const placeOfVip = ({ vip, vipPort }: Vip): string => `VIP ${vip}:${vipPort}`;
