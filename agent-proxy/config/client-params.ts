/** How the endpoints of one bound name are called: linkerd's client parameters, all of them, for one client. */

import type { BalanceParams } from '../balance/params.ts';
import { DEFAULT_ACCRUAL_BACKOFF, type FailureAccrualParams } from '../resilience/params.ts';
import type { Path } from '../routing/path.ts';
import type { Captures } from '../routing/path-matcher.ts';
import { clientTlsParams } from './client-tls-params.ts';
import { defaultsFor } from './defaults.ts';
import type { LayeredClient } from './layered.ts';
import { Layers, type MatchedLayer, override } from './layers.ts';
import type { ClientLayer } from './schema/client.ts';
import type { RouterConfig } from './schema/linkerd.ts';

/** The same, sorted by who needs it. */
export interface ClientParams extends Omit<LayeredClient, 'loadBalancer' | 'failFast' | 'failureAccrual' | 'nodemesh'> {
  readonly balance: BalanceParams;
  readonly connectTimeoutMs: number;
}

/** The client parameters of one router. */
export class ClientLayers {
  private readonly layers: Layers<ClientLayer, ClientParams>;
  private readonly defaults: LayeredClient;

  constructor(router: Pick<RouterConfig, 'client' | 'nodemesh'>) {
    this.layers = new Layers(router.client.configs);
    this.defaults = defaultsFor(router.nodemesh.linkerdCompat).client;
  }

  /** `id` is the bound name with its transformers: `/%/io.l5d.port/4141/#/io.l5d.marathon/web`. `over`: what goes over all layers. */
  paramsFor(id: Path, over: readonly ClientLayer[] = []): ClientParams {
    return this.layers.once(id, (matching) => this.put(matching), over);
  }

  private put(matching: readonly MatchedLayer<ClientLayer>[]): ClientParams {
    let layered = this.defaults;
    for (const { layer, captures } of matching) layered = laidOver(layered, layer, captures);
    const { loadBalancer, failFast, failureAccrual, nodemesh, ...others } = layered;
    const { connectTimeoutMs, ...ours } = nodemesh;
    return {
      ...others,
      connectTimeoutMs,
      balance: { loadBalancer, failFast, failureAccrual: accrualParams(failureAccrual), ...ours },
    };
  }
}

function laidOver(client: LayeredClient, layer: ClientLayer, captures: Captures): LayeredClient {
  const { hostConnectionPool, clientSession, socketOptions, nodemesh, tls, ...whole } = layer;
  return {
    ...override(client, whole),
    hostConnectionPool: override(client.hostConnectionPool, hostConnectionPool),
    clientSession: override(client.clientSession, clientSession),
    socketOptions: override(client.socketOptions, socketOptions),
    nodemesh: override(client.nodemesh, nodemesh),
    tls: tls === undefined ? client.tls : clientTlsParams(tls, captures),
  };
}

function accrualParams(config: LayeredClient['failureAccrual']): FailureAccrualParams {
  return config.kind === 'none' ? config : { ...config, backoff: config.backoff ?? DEFAULT_ACCRUAL_BACKOFF };
}
