/** What the layers of a client and of a service say, put together: linkerd's keys, with all of them there. */
import type { LoadBalancerParams } from '../balance/params.ts';
import type { BackoffParams, BudgetParams, ClassifierKind, FailureAccrualParams } from '../resilience/params.ts';

/** Its backoff may be left out. */
type LayeredAccrual<T> = T extends { readonly backoff: BackoffParams }
  ? Omit<T, 'backoff'> & { readonly backoff?: BackoffParams | undefined }
  : T;

/** What layers say, in linkerd's keys, with all of them there. Times in milliseconds; `null` is none, no limit. */
export interface LayeredClient {
  readonly loadBalancer: LoadBalancerParams;
  /** For each endpoint. */
  readonly hostConnectionPool: {
    readonly minSize: number;
    readonly maxSize: number | null;
    readonly idleTimeMs: number | null;
    readonly maxWaiters: number | null;
  };
  readonly failFast: boolean;
  readonly failureAccrual: LayeredAccrual<FailureAccrualParams>;
  readonly requeueBudget: BudgetParams;
  /** Until the head of the response. */
  readonly requestAttemptTimeoutMs: number | null;
  readonly clientSession: { readonly idleTimeMs: number | null; readonly lifeTimeMs: number | null };
  readonly tls: ClientTlsParams | null;
  readonly socketOptions: {
    readonly noDelay: boolean;
    readonly keepAlive: boolean;
    readonly readTimeoutMs: number | null;
    readonly writeTimeoutMs: number | null;
  };
  readonly nodemesh: {
    readonly connectTimeoutMs: number;
    readonly panicThreshold: number;
    readonly maxEjected: number;
    readonly comparesSiblings: boolean;
    readonly failurePenaltyMs: number;
  };
}

/** What layers say, in linkerd's keys, with all of them there. */
export interface LayeredService {
  readonly responseClassifier: { readonly kind: `io.l5d.http.${ClassifierKind}` };
  readonly retries: { readonly budget: BudgetParams; readonly backoff: BackoffParams };
  readonly totalTimeoutMs: number | null;
}

/** File names; whoever connects reads them. */
export interface ClientTlsParams {
  readonly disableValidation: boolean;
  /** For SNI, and what the certificate has to say; null only where nothing is validated. */
  readonly commonName: string | null;
  /** CA certificates; null for the system's. */
  readonly trustFiles: readonly string[] | null;
  readonly clientAuth: {
    readonly certPath: string;
    readonly intermediateCertsPath: string | null;
    readonly keyPath: string;
  } | null;
  /** `TLSv1.2` and its like; null for Node's own choice. */
  readonly protocols: readonly string[] | null;
}
