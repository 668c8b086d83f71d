/**
 * The scheduler's HTTP server: the operator API, the proxies' control streams, the proxy's archives and the dashboard. It is up
 * before anything else and answers whatever Mesos and Marathon do.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import express, { type Express } from 'express';
import type { SchedulerConfig } from '../config.ts';
import type { Doctor } from '../doctor/doctor.ts';
import { isLoopback } from '../loopback.ts';
import type { NodeView } from '../node-view.ts';
import type { Refusals } from '../permissions/refusals.ts';
import type { ProxyArtifacts } from '../proxy/artifacts.ts';
import type { TokenCheck } from './admin-router.ts';
import { artifactRoute } from './artifacts.ts';
import { auditWrites } from './audit.ts';
import { requireProxy, requireToken } from './auth.ts';
import { configRouter } from './config.ts';
import { controlRouter, enrolRouter } from './control.ts';
import { reportsFirst } from './control-reports.ts';
import { doctorRouter } from './doctor.ts';
import { ApiError, errorHandler, notFound } from './errors.ts';
import { eventsRouter } from './events.ts';
import { healthJson } from './health.ts';
import { type Leadership, leadingPlane } from './leading.ts';
import { createMetrics } from './metrics.ts';
import { nodesRouter } from './nodes.ts';
import { openApiDocument } from './openapi/document.ts';
import { pageOf } from './paging.ts';
import { plansRouter } from './plans.ts';
import { policyRouter } from './policy.ts';
import { nodeJson, servicesJson, trafficJson } from './views.ts';

/** Thousands of proxies may come back at once; the kernel takes what `net.core.somaxconn` allows of it. */
const BACKLOG = 16_384;

export interface ApiOptions extends Leadership {
  readonly config: Pick<SchedulerConfig, 'listen' | 'apiToken' | 'ports' | 'uninstall' | 'publicListeners'>;
  readonly version: string;
  /** Directory of the built files. */
  readonly dist: string;
  readonly doctor: Pick<Doctor, 'examine'>;
  readonly artifacts: Pick<ProxyArtifacts, 'at' | 'wanted'>;
  readonly refusals: Pick<Refusals, 'list'>;
  /** Who may write, on DC/OS; null elsewhere. */
  readonly dcos: TokenCheck | null;
  readonly logger: { info(fields: object, message: string): void; error(fields: object, message: string): void };
}

export function createApi(options: ApiOptions): RequestListener {
  const log = (error: unknown, path: string): void => options.logger.error({ err: error, path }, 'a request failed');
  const others = createRoutes(options);
  others.use(errorHandler(log));
  return reportsFirst({ plane: options.plane, log, others });
}

/** All but the reports, and without what answers errors. */
export function createRoutes(options: ApiOptions): Express {
  const { plane, artifacts, version } = options;
  const onLoopback = isLoopback(options.config.listen.host);
  const metrics = createMetrics(plane);
  const app = express();
  app.disable('x-powered-by');
  // Answers change all the time, and hashing them for a 304 costs more than it saves.
  app.disable('etag');
  app.use((_request, response, next) => {
    response.setHeader('x-content-type-options', 'nosniff');
    next();
  });

  app.use(enrolRouter(plane));
  app.use(
    '/control',
    requireProxy(() => plane()?.keys ?? null),
  );
  app.use(controlRouter(plane));
  app.use(requireToken({ onLoopback, token: options.config.apiToken, dcos: options.dcos }));
  app.use(auditWrites(() => plane()?.policy?.audit ?? null));

  app.get('/v1/health', (_request, response) => {
    const current = plane();
    const leader = current === null ? options.leader() : null;
    response.json(healthJson({ plane: current, version, leader, refusals: options.refusals.list() }));
  });
  app.get('/v1/nodes', (request, response) => {
    const current = leadingPlane(options);
    const { manifest } = artifacts.wanted;
    const { version, code } = manifest;
    const shown = (node: NodeView): object => {
      const configRevision = current.config.configFor(node.status.agentId)?.revision ?? 0;
      return nodeJson(node, { version, configRevision, codeSha256: code.sha256 });
    };
    const page = pageOf(request.query);
    if (page === null) {
      response.json(current.nodes().map(shown));
      return;
    }
    const { nodes, total } = current.someNodes(page.offset, page.limit);
    response.setHeader('x-total-count', total);
    response.json(nodes.map(shown));
  });
  app.get('/v1/services', (_request, response) => {
    const current = leadingPlane(options);
    response.json(servicesJson(current.services(), current.skipped(), current.labels));
  });
  app.get('/v1/traffic', (_request, response) => {
    response.json(trafficJson(leadingPlane(options), Date.now()));
  });
  // As the DC/OS SDK's schedulers answer it: a list of one; of none until Mesos has given an id.
  app.get('/v1/state/frameworkId', (_request, response) => {
    const id = leadingPlane(options).framework.frameworkId();
    // To Cosmos an answer that differs from before means that the uninstall goes on, and one that cannot be read that it does not.
    if (id === null && options.config.uninstall) throw new ApiError(404, 'the framework is uninstalled: it has no id');
    response.json(id === null ? [] : [id]);
  });
  app.get('/v1/openapi.json', (_request, response) => {
    response.json(openApiDocument(version));
  });
  app.use(eventsRouter(plane));
  app.use(doctorRouter(options.doctor));
  app.use(nodesRouter(options));
  app.use(plansRouter(options));
  app.use(policyRouter(options));
  app.use(configRouter(options));
  app.get('/metrics', async (_request, response) => {
    response.setHeader('content-type', metrics.contentType);
    response.end(await metrics.metrics());
  });
  app.get('/artifacts/:name', artifactRoute(artifacts));

  app.use(express.static(join(options.dist, 'dashboard'), { cacheControl: false, redirect: false }));
  app.use(notFound);
  return app;
}

/** @throws with one sentence when the address cannot be had. */
export async function listen(app: RequestListener, address: { host: string; port: number }): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 80_000 }, app);
  const where = `${address.host}:${address.port}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'another process has this port; stop it, or choose one with --listen'
          : error.message;
      reject(new Error(`cannot listen on ${where}: ${why}`, { cause: error }));
    });
    server.listen({ ...address, backlog: BACKLOG }, resolve);
  });
  return server;
}
