/** What holds for the requests to one logical name: linkerd's service parameters, all of them, for one service. */
import type { ClassifierKind, RetryParams } from '../resilience/params.ts';
import type { Path } from '../routing/path.ts';
import { defaultsFor } from './defaults.ts';
import type { LayeredService } from './layered.ts';
import { Layers, type MatchedLayer, override } from './layers.ts';
import type { RouterConfig } from './schema/linkerd.ts';
import type { ResponseClassifierConfig } from './schema/response-classifier.ts';
import type { ServiceLayer } from './schema/service.ts';

export interface ServiceParams {
  readonly classifier: ClassifierKind;
  readonly retries: RetryParams;
  /** In milliseconds, with all attempts and waits, until the head of the response; null: no limit. */
  readonly totalTimeoutMs: number | null;
}

const CLASSIFIERS: Readonly<Record<ResponseClassifierConfig['kind'], ClassifierKind>> = {
  'io.l5d.http.nonRetryable5XX': 'nonRetryable5XX',
  'io.l5d.http.retryableRead5XX': 'retryableRead5XX',
  'io.l5d.http.retryableIdempotent5XX': 'retryableIdempotent5XX',
  'io.l5d.http.retryableAll5XX': 'retryableAll5XX',
  'io.l5d.http.allSuccessful': 'allSuccessful',
};

/** The service parameters of one router. */
export class ServiceLayers {
  private readonly layers: Layers<ServiceLayer, ServiceParams>;
  private readonly defaults: LayeredService;
  private readonly maxRetries: number | null;

  constructor(router: Pick<RouterConfig, 'service' | 'nodemesh'>) {
    this.layers = new Layers(router.service.configs);
    this.defaults = defaultsFor(router.nodemesh.linkerdCompat).service;
    this.maxRetries = router.nodemesh.maxRetries;
  }

  /** `name` is the logical name, with its prefix: `/svc/web`. `over`: what goes over all layers. */
  paramsFor(name: Path, over: readonly ServiceLayer[] = []): ServiceParams {
    return this.layers.once(name, (matching) => this.put(matching), over);
  }

  private put(matching: readonly MatchedLayer<ServiceLayer>[]): ServiceParams {
    let layered = this.defaults;
    let { maxRetries } = this;
    for (const { layer } of matching) {
      const { retries, nodemesh, ...whole } = layer;
      if (nodemesh?.maxRetries !== undefined) maxRetries = nodemesh.maxRetries;
      layered = { ...override(layered, whole), retries: override(layered.retries, retries) };
    }
    return {
      classifier: CLASSIFIERS[layered.responseClassifier.kind],
      retries: { ...layered.retries, maxRetries },
      totalTimeoutMs: layered.totalTimeoutMs,
    };
  }
}
