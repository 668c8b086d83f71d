/**
 * Every label `NODEMESH_<KEY>` once: how its value is written, what it means and what it becomes. The reading of labels and
 * docs/labels.md are both made of this table.
 */
import type { z } from 'zod';
import {
  amount,
  budgetOf,
  clientFragment,
  type Effect,
  flag,
  KINDS,
  kindWithKeys,
  limitMs,
  placesOf,
  serviceFragment,
  textual,
  timeMs,
} from './values.ts';

export interface LabelKey {
  /** What holds without the label. */
  readonly otherwise: string;
  /** Its value, as people write it. */
  readonly written: string;
  readonly example: string;
  readonly help: string;
  /** The key of linkerd.yaml that it lays over, or where it goes instead. */
  readonly becomes: string;
  /** `port`: it may have the index of a port in front of its key, and then holds for that port only. */
  readonly of: 'app' | 'port';
  readonly value: z.ZodType<Effect, string>;
}

const PROTOCOLS_TO_COME = ['h2', 'http2', 'grpc', 'tcp', 'thrift', 'tls'];

const short = (kinds: readonly string[]): string =>
  kinds.map((kind) => kind.replace(/^io\.l5d\.(http\.)?/, '')).join(', ');

/** In the order in which they are told. */
export const LABEL_KEYS = {
  PROTOCOL: {
    otherwise: 'http',
    written: 'http',
    example: 'http',
    help: 'What the port speaks. There is nothing but HTTP/1.1 yet.',
    becomes: 'nothing: it is so anyway',
    of: 'port',
    value: textual((text): Effect => {
      const protocol = text.toLowerCase();
      if (protocol === 'http' || protocol === 'http/1.1') return { kind: 'nothing' };
      const isToCome = PROTOCOLS_TO_COME.includes(protocol);
      throw new Error(
        isToCome ? `'${text}' is not supported yet; there is http` : `'${text}' is no protocol; there is http`,
      );
    }),
  },
  TIMEOUT: {
    otherwise: "the router's",
    written: 'a time, or none',
    example: '5s',
    help: 'How long a request may take with all its attempts, until the head of the response is there.',
    becomes: 'service: totalTimeoutMs',
    of: 'port',
    value: textual((text): Effect => service({ totalTimeoutMs: limitMs(text) })),
  },
  ATTEMPT_TIMEOUT: {
    otherwise: "the router's",
    written: 'a time, or none',
    example: '500ms',
    help: 'How long one attempt may take until the head of the response is there.',
    becomes: 'client: requestAttemptTimeoutMs',
    of: 'port',
    value: textual((text): Effect => client({ requestAttemptTimeoutMs: limitMs(text) })),
  },
  RETRIES: {
    otherwise: "the router's",
    written: 'a number from 0 to 10',
    example: '1',
    help: 'How often one request may be sent again, at most. What may be sent again says the classifier.',
    becomes: 'service: nodemesh.maxRetries',
    of: 'port',
    value: textual((text): Effect => service({ nodemesh: { maxRetries: amount(text, 0, 10, true) } })),
  },
  BUDGET: {
    otherwise: "the router's",
    written: 'a share, and behind it how many a second are always allowed, and how long a request counts',
    example: '20% 10/s 10s',
    help: 'How many retries there may be, compared with requests.',
    becomes: 'service: retries.budget',
    of: 'port',
    value: textual((text): Effect => service({ retries: { budget: budgetOf(text) } })),
  },
  CLASSIFIER: {
    otherwise: "the router's",
    written: `one of ${short(KINDS.classifier)}`,
    example: 'retryableRead5XX',
    help: 'Which responses are failures, and which of these may be retried.',
    becomes: 'service: responseClassifier',
    of: 'port',
    value: textual((text): Effect => service({ responseClassifier: kindWithKeys(text, KINDS.classifier) })),
  },
  BALANCER: {
    otherwise: "the router's",
    written: `one of ${short(KINDS.balancer)}, and behind it its keys`,
    example: 'ewma decayTimeMs=5s',
    help: 'How an instance is chosen.',
    becomes: 'client: loadBalancer',
    of: 'port',
    value: textual((text): Effect => client({ loadBalancer: kindWithKeys(text, KINDS.balancer) })),
  },
  ACCRUAL: {
    otherwise: "the router's",
    written: `one of ${short(KINDS.accrual)}, and behind it its keys`,
    example: 'consecutiveFailures failures=3',
    help: 'When an instance gets no requests for a while.',
    becomes: 'client: failureAccrual',
    of: 'port',
    value: textual((text): Effect => client({ failureAccrual: kindWithKeys(text, KINDS.accrual) })),
  },
  WEIGHT: {
    otherwise: '1',
    written: 'a number from 0.01 to 1000',
    example: '0.5',
    help: 'How many requests each of its instances gets, compared with other instances under the same name.',
    becomes: 'the weight of its endpoints',
    of: 'app',
    value: textual((text): Effect => ({ kind: 'weight', weight: amount(text, 0.01, 1_000, false) })),
  },
  SLOW_START: {
    otherwise: 'at once',
    written: 'a time, or none',
    example: '30s',
    help: 'Over this time after its start the weight of an instance grows from a tenth to all of it.',
    becomes: 'the weight of its endpoints, in each proxy',
    of: 'app',
    value: textual((text): Effect => ({ kind: 'slow-start', ms: text === 'none' ? 0 : timeMs(text) })),
  },
  EXPOSE: {
    otherwise: 'not exposed',
    written: 'hosts with or without the beginning of a path, between commas',
    example: 'www.example.com, example.com/shop',
    help: 'The edge router of public agents serves it at these hosts, and for paths that begin so. Without an index: its first port.',
    becomes: "the edge router's table",
    of: 'port',
    value: textual((text): Effect => ({ kind: 'exposed', places: placesOf(text) })),
  },
  DEGRADED: {
    otherwise: 'out',
    written: 'out or serve',
    example: 'serve',
    help: 'Whether an instance of a pod of which a part does not work gets traffic while its containers with endpoints run and are healthy.',
    becomes: 'the state of its endpoints',
    of: 'app',
    value: textual((text): Effect => {
      if (text === 'out' || text === 'serve') return { kind: 'nothing' };
      throw new Error(`'${text}' is neither out nor serve`);
    }),
  },
  OFF: {
    otherwise: 'false',
    written: 'true or false',
    example: 'true',
    help: 'The mesh leaves the app alone: its names lead nowhere, and all its other labels say nothing.',
    becomes: 'its names do not bind',
    of: 'app',
    value: textual((text): Effect => ({ kind: 'off', off: flag(text) })),
  },
} as const satisfies Record<string, LabelKey>;

export type LabelKeyName = keyof typeof LABEL_KEYS;

export function isLabelKey(name: string): name is LabelKeyName {
  return Object.hasOwn(LABEL_KEYS, name);
}

export const labelKeyNames = (): LabelKeyName[] => Object.keys(LABEL_KEYS).filter(isLabelKey);

export function labelKey(name: LabelKeyName): LabelKey {
  return LABEL_KEYS[name];
}

function client(fragment: Parameters<typeof clientFragment>[0]): Effect {
  return { kind: 'client', fragment: clientFragment(fragment) };
}

function service(fragment: Parameters<typeof serviceFragment>[0]): Effect {
  return { kind: 'service', fragment: serviceFragment(fragment) };
}
