/**
 * Puts services into the table that all proxies get: what the sources say of their instances, with what labels say of them.
 * What does not fit into a record is left out, and told.
 */
import type { LabelBook } from './discovery/labels/label-book.ts';
import { stageSettings } from './discovery/labels/stage-settings.ts';
import type { Marathons } from './discovery/marathons.ts';
import type { Sources } from './discovery/sources.ts';
import type { Feed } from './distribution/feed.ts';

const TOO_LONG = 'their description is too long for the control stream; shorten labels or port names';

export interface ServiceStagingOptions {
  readonly feed: Feed;
  readonly labels: LabelBook;
  readonly marathons: Pick<Marathons, 'app' | 'namesOn' | 'skipped'>;
  readonly sources: Sources;
  readonly logger: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
}

export class ServiceStaging {
  readonly #options: ServiceStagingOptions;
  /** Services with an instance that no record can hold: why it is left out. */
  readonly #tooLong = new Map<string, string>();

  constructor(options: ServiceStagingOptions) {
    this.#options = options;
  }

  /** The service as it is now, or that it is gone. */
  stage(name: string): void {
    const { feed, labels, marathons, sources, logger } = this.#options;
    const app = marathons.app(name);
    const relabelled = app === undefined ? labels.remove(name) : labels.put({ ...app, name });
    stageSettings(relabelled, { labels, feed, logger });
    const service = sources.service(name);
    this.#tooLong.delete(name);
    if (service === undefined) {
      feed.removeService(name);
      return;
    }
    const leftOut = feed.setService(labels.weighted(service));
    if (leftOut.length === 0) return;
    const [first] = leftOut;
    const count = leftOut.length;
    this.#tooLong.set(name, `${count} of its instances are left out, the first is ${first}: ${TOO_LONG}`);
    logger.error({ service: name, instances: count, first }, `instances get no traffic: ${TOO_LONG}`);
  }

  /** The services with an instance on one of these agents. */
  stageOn(agentIds: Iterable<string>): void {
    const { marathons } = this.#options;
    const names = [...agentIds].flatMap((agentId) => marathons.namesOn(agentId));
    for (const name of new Set(names)) this.stage(name);
  }

  /** Why services, or some of their instances, are not in the table, by name. */
  skipped(): ReadonlyMap<string, string> {
    return new Map([...this.#options.marathons.skipped(), ...this.#tooLong]);
  }
}
