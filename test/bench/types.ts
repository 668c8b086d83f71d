/** The shapes that the bench's parts hand to each other. */

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `name` is what callers send as Host. */
export interface Service {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

/** What a proxy is to be configured for. */
export interface Site {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly adminPort: number;
  /** The proxy's own: its configuration and whatever else it writes. */
  readonly directory: string;
  readonly services: readonly Service[];
  /** Where `proxy.mjs` is. */
  readonly dist: string;
}

export interface ConfigurationFile {
  /** Relative to the site's directory. */
  readonly name: string;
  readonly text: string;
}

/** How a proxy is started: files to write first, then the command. */
export interface ProxyPlan {
  readonly files: readonly ConfigurationFile[];
  readonly command: readonly [string, ...string[]];
}

/** A proxy, configured in one of the ways that are compared. */
export interface ProxyForm {
  readonly name: string;
  readonly what: string;
  /** The proxy that its ratios are to. */
  readonly reference: string;
  /** Has a Prometheus page on its admin port, scraped while it is measured. */
  readonly isScraped: boolean;
  plan(site: Site): ProxyPlan;
}

/** Milliseconds. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** What a load generator saw in one run. */
export interface LoadResult extends Latency {
  readonly requests: number;
  readonly seconds: number;
  /** Requests without an answer, and answers other than 2xx and 3xx. */
  readonly errors: number;
}

/** One run against one proxy. */
export interface Sample extends Latency {
  readonly rps: number;
  /** User and system time of all of the proxy's processes, by requests completed. */
  readonly cpuUs: number;
  /** Sum of PSS. */
  readonly memMb: number;
  /** The part of its core that the proxy used: 1 is saturation. */
  readonly busy: number;
  /** The part of the proxy's core that something else used. */
  readonly disturbed: number;
  readonly errors: number;
}

export interface Ratio {
  readonly rps: number;
  readonly cpu: number;
  readonly p99: number;
  readonly mem: number;
}

/** The medians of one proxy's samples in one scenario. What a scenario does not measure is null. */
export interface Row {
  readonly scenario: string;
  readonly proxy: string;
  readonly rps: number | null;
  readonly cpuUs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly memMb: number | null;
  readonly ratio: { readonly [Key in keyof Ratio]: number | null };
}

/** What a scenario found. */
export interface Outcome {
  readonly rows: readonly Row[];
  /** What has no column, by name. */
  readonly figures: Readonly<Record<string, number>>;
}
