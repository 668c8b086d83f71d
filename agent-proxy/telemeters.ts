/** The telemeters of a configuration: who gets spans, figures and samples of requests, besides the admin listener. */
import type { TelemeterConfig } from './config/schema/linkerd.ts';
import type { Log } from './telemetry/log.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { RecentRequests } from './telemetry/recent-requests.ts';
import { Statsd } from './telemetry/statsd.ts';
import { otlpExporter } from './tracing/otlp.ts';
import { TraceLog } from './tracing/tracelog.ts';
import { type SpanSink, Tracer } from './tracing/tracer.ts';
import { zipkinExporter } from './tracing/zipkin.ts';

export interface Telemeters {
  /** Null where nobody takes spans. */
  readonly tracer: Tracer | null;
  readonly recent: RecentRequests | null;
  readonly prometheus: { readonly path: string; readonly prefix: string };
  /** Sends what is left, for so long at most. */
  close(graceMs: number): Promise<void>;
}

export interface TelemeterNeeds {
  readonly tree: MetricsTree;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

const PROMETHEUS = { path: '/admin/metrics/prometheus', prefix: '' };

export function makeTelemeters(configs: readonly TelemeterConfig[], needs: TelemeterNeeds): Telemeters {
  const { tree, now, random, log } = needs;
  const sinks: SpanSink[] = [];
  const ends: ((graceMs: number) => Promise<void> | void)[] = [];
  const complain = (failure: string): void => log.warn(failure);
  let recent: RecentRequests | null = null;
  let prometheus = PROMETHEUS;
  for (const config of configs) {
    switch (config.kind) {
      case 'io.l5d.prometheus':
        prometheus = config;
        break;
      case 'io.l5d.recentRequests':
        recent = new RecentRequests(config.capacity, config.sampleRate, random);
        break;
      case 'io.l5d.tracelog': {
        const { level } = config;
        sinks.push(new TraceLog(config.sampleRate, (line) => log.line(`${new Date().toISOString()} ${level} ${line}`)));
        break;
      }
      case 'io.l5d.zipkin':
      case 'io.nodemesh.otlp': {
        const exporter =
          config.kind === 'io.l5d.zipkin' ? zipkinExporter(config, complain) : otlpExporter(config, complain);
        sinks.push(exporter);
        ends.push((graceMs) => exporter.close(graceMs));
        break;
      }
      case 'io.l5d.statsd': {
        const statsd = new Statsd(config, tree, now, complain);
        statsd.start();
        ends.push(() => statsd.close());
      }
    }
  }
  return {
    tracer: sinks.length === 0 ? null : new Tracer(sinks, (random() * 2 ** 32) | 0, performance.timeOrigin),
    recent,
    prometheus,
    close: async (graceMs) => {
      await Promise.all(ends.map((end) => end(graceMs)));
    },
  };
}
