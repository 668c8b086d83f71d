/**
 * openapi.json against what is served: every route is in it and no other, every answer that can be had here is as it says, and
 * the document itself is one that tools can read.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Express } from 'express';
import { describe, expect, it } from 'vitest';
import { CONTROL_REPORT_PATH } from '../../../agent-proxy/control/wire-words.ts';
import { ANSWERS } from '../../../scheduler/api/openapi/answers.ts';
import { OPERATIONS, openApiDocument } from '../../../scheduler/api/openapi/document.ts';
import { createRoutes } from '../../../scheduler/api/server.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { fakePlan, taskId } from '../support/fake-framework.ts';
import { useScheduler } from '../support/use-scheduler.ts';

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: { readonly stack?: readonly Layer[] };
}

/** `get /v1/plans/{plan}` of all that express would call. */
function routesOf(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, handle }) => {
    if (route === undefined) return handle.stack === undefined ? [] : routesOf(handle.stack);
    const path = route.path.replace(/[:*](\w+)/g, '{$1}');
    return Object.keys(route.methods).map((method) => `${method} ${path}`);
  });
}

function api(): Express {
  return createRoutes({
    config: {
      listen: { host: '127.0.0.1', port: 0 },
      apiToken: null,
      ports: { out: 1, in: 2, admin: 3, edge: null },
      uninstall: false,
      publicListeners: 'edge',
    },
    ...{
      version: '0.1.0',
      dist: '/nowhere',
      plane: () => null,
      leader: () => null,
      dcos: null,
      refusals: { list: () => [] },
    },
    doctor: { examine: () => Promise.reject(new Error('nothing is asked for')) },
    artifacts: {
      at: () => undefined,
      get wanted(): never {
        throw new Error('nothing is asked for');
      },
    },
    logger: { info: () => undefined, error: () => undefined },
  });
}

it('every route is in openapi.json, and nothing else', () => {
  // Reports are served before express.
  const served = [
    `post ${CONTROL_REPORT_PATH}`,
    ...routesOf((api().router as unknown as { stack: readonly Layer[] }).stack),
  ];
  const told = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  expect(served.length).toBeGreaterThan(40);
  expect(new Set(told).size).toBe(told.length);
  const how =
    'Tell of each route in scheduler/api/openapi/*-operations.ts, with its answers in answers.ts; then npm run docs';
  expect(
    served.filter((route) => !told.includes(route)),
    `served, and not told of. ${how}`,
  ).toEqual([]);
  expect(
    told.filter((route) => !served.includes(route)),
    `told of, and not served. ${how}`,
  ).toEqual([]);
});

it('the document is whole: every reference leads to a schema, and every schema compiles', () => {
  const document = openApiDocument('0.1.0');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'openapi', ...document });
  const { components, paths } = document as { components: { schemas: object }; paths: object };
  const names = Object.keys(components.schemas);
  for (const name of names) expect(ajv.getSchema(`openapi#/components/schemas/${name}`), name).toBeTypeOf('function');
  const referred = [...JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name = '']) => name);
  expect([...new Set(referred)].filter((name) => !names.includes(name))).toEqual([]);
  const ids = [...JSON.stringify(paths).matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe('answers are as openapi.json says', () => {
  const use = useScheduler();

  it('every read that needs no name, and some that do', async () => {
    use.marathon.put('web-v2', [{ id: 'web-v2.1', port: 21_001, alive: true }]);
    use.marathon.put('web', [{ id: 'web.1', port: 21_000, alive: true }]);
    const scheduler = await use.start({ nodes: { S1: { taskId: taskId('p1'), ip: '127.0.36.1' }, S2: {} } });
    scheduler.framework.plans.set('deploy', fakePlan('deploy', 'COMPLETE', 'PENDING'));
    const proxy = scheduler.client('S1', 'p1', { version: '0.1.0' });
    await eventually('a table', () => proxy.table.ready);
    await proxy.report({ version: '0.1.0' });
    await eventually('the services', async () =>
      JSON.stringify((await scheduler.get('/v1/services')).json).includes('web-v2.1'),
    );
    await fetch(`${scheduler.url}/v1/freeze`, { method: 'POST' });
    const shift = { service: 'web', to: 'web-v2' };
    await fetch(`${scheduler.url}/v1/shifts`, { method: 'POST', body: JSON.stringify(shift) });

    const named: Readonly<Record<string, string>> = { plan: 'deploy', ns: 'default', revision: '1', service: 'web' };
    const read: string[] = [];
    for (const { method, path, answers, tag } of OPERATIONS) {
      if (method !== 'get' || path.startsWith('/artifacts/')) continue;
      // It has no end.
      if (answers[200]?.type === 'text/event-stream') continue;
      const query = tag === 'namerd' && path !== '/api/1/dtabs' ? '?path=/svc/web' : '';
      const at = path.replace(/\{(\w+)\}/g, (_, name: string) => named[name] ?? name) + query;
      const { status, json } = await scheduler.get(at);
      const answer = answers[status];
      expect(answer, `${at} answers ${status}, which is not told of`).toBeDefined();
      if (answer?.schema === undefined) continue;
      const parsed = ANSWERS[answer.schema].safeParse(json);
      expect(parsed.error?.issues ?? [], `${at} answers otherwise than scheduler/api/openapi/answers.ts says`).toEqual(
        [],
      );
      read.push(`${status} ${path}`);
    }
    expect(read).toContain('200 /v1/shifts/{service}');
    expect(read).toContain('202 /v1/plans/{plan}');
    expect(read).toContain('200 /v1/services');
    expect(read.length).toBeGreaterThan(18);
  });
});
