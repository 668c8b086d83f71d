/** `telemetry:` – where figures, spans and samples of requests go. */
import { z } from 'zod';
import { fallsBack, kinds, needed, noEffect } from './keys.ts';
import { duration, flag, host, integer, ratio, remotePort, text } from './scalars.ts';

const common = { experimental: noEffect(flag, 'nothing needs it here') };

const httpUrl = z
  .string('is not a URL')
  .refine(
    (written) => URL.canParse(written) && /^https?:$/.test(new URL(written).protocol),
    'is not a URL such as http://host:4318',
  )
  .meta({ shownAs: 'URL' });

const urlPath = z
  .string('is not a path of a URL')
  .regex(/^\/[!-~]*$/, 'is not a path of a URL')
  .meta({ shownAs: 'path of a URL' });

export const telemeter = kinds(
  'telemeter',
  [
    z.strictObject({
      kind: z.literal('io.l5d.prometheus').describe('Figures for Prometheus, on the admin listener.'),
      path: fallsBack(urlPath, '/admin/metrics/prometheus', 'Where.'),
      prefix: fallsBack(z.string('is not a text'), '', "What stands before each figure's name."),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('io.l5d.statsd').describe('Figures by UDP.'),
      prefix: fallsBack(text, 'linkerd', "What stands before each figure's name."),
      hostname: fallsBack(host, '127.0.0.1', 'Where to.'),
      port: fallsBack(remotePort, 8_125, 'Its port.'),
      gaugeIntervalMs: fallsBack(duration, 10_000, 'How often gauges are sent.'),
      sampleRate: noEffect(ratio, 'each figure is sent once in each interval'),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('io.l5d.recentRequests').describe('The last requests, on the admin listener.'),
      sampleRate: needed(ratio, 'The share of requests that are kept.'),
      capacity: fallsBack(integer(1, 10_000), 10, 'How many are kept.'),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('io.l5d.tracelog').describe('Spans in the log.'),
      sampleRate: fallsBack(ratio, 1, 'The share of requests.'),
      level: fallsBack(
        z.enum(['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL']),
        'INFO',
        'As which they are logged.',
      ),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('io.l5d.zipkin').describe('Spans to Zipkin: its v2 JSON over HTTP (linkerd: Scribe).'),
      host: fallsBack(host, 'localhost', 'Where to.'),
      port: fallsBack(remotePort, 9_411, "Its port; 9410, Scribe's, gives a warning."),
      sampleRate: fallsBack(ratio, 0.001, 'The share of requests.'),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('io.nodemesh.otlp').describe('Spans to an OpenTelemetry collector: OTLP, JSON over HTTP.'),
      endpoint: needed(httpUrl, 'Where to; `/v1/traces` is added where the URL has no path.'),
      sampleRate: fallsBack(ratio, 0.001, 'The share of requests.'),
      ...common,
    }),
  ],
  ['io.l5d.influxdb', 'io.zipkin.http'],
);
