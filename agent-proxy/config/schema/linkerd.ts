/** The top of linkerd.yaml, and the types that the rest of the proxy sees: a configuration that is checked and complete. */
import { z } from 'zod';
import { defaultsFor } from '../defaults.ts';
import { admin } from './admin.ts';
import { fallsBack, inner, needed, noEffect } from './keys.ts';
import { completeNamer, namer } from './namer.ts';
import { router } from './router.ts';
import { telemeter } from './telemeter.ts';

const written = z.strictObject({
  admin: inner(admin, 'The listener for people and monitoring.'),
  routers: needed(
    z.array(router).min(1, 'at least one router is needed'),
    'One router for each way that requests take.',
  ),
  namers: fallsBack(z.array(namer), [], 'Who knows the addresses behind `/#/…`; later ones are asked first.'),
  telemetry: fallsBack(z.array(telemeter), [], 'Where figures, spans and samples of requests go.'),
  usage: noEffect(z.unknown(), 'nodemesh reports nothing to anybody'),
});

export const linkerd = written.transform(({ admin, routers, namers, telemetry }) => {
  const defaults = defaultsFor(routers.every(({ nodemesh }) => nodemesh.linkerdCompat));
  return { admin, routers, namers: namers.map((one) => completeNamer(one, defaults.marathon)), telemetry };
});

/**
 * All of a configuration, with every default in place; plain JSON, and itself a configuration that is read back as the
 * same. Layers of clients and services are not merged: see `client-params.ts` and `service-params.ts`.
 */
export type ProxyConfig = z.output<typeof linkerd>;
export type AdminConfig = ProxyConfig['admin'];
export type RouterConfig = ProxyConfig['routers'][number];
export type ServerConfig = RouterConfig['servers'][number];
export type InterpreterConfig = RouterConfig['interpreter'];
export type TransformerConfig = InterpreterConfig['transformers'][number];
export type NamerConfig = ProxyConfig['namers'][number];
export type TelemeterConfig = ProxyConfig['telemetry'][number];
