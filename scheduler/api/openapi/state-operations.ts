/** What the mesh looks like, plans and the freeze. */
import { PLAN_VERBS } from '../../../framework/index.ts';
import { type Operation, refused } from './operation.ts';

const JSON_TYPES = ['application/json'];
const STANDBY = refused('this scheduler does not lead; `leader` is the one that does, where it is known');

const READS: readonly Operation[] = [
  {
    ...{
      method: 'get',
      path: '/v1/health',
      tag: 'state',
      summary: 'How the scheduler is; 200 whatever Mesos and Marathon do',
    },
    answers: { 200: { what: 'how it is', schema: 'Health' } },
  },
  {
    ...{
      method: 'get',
      path: '/v1/events',
      tag: 'state',
      summary: 'How the mesh is, at the beginning and at each change, as server-sent events',
    },
    answers: {
      200: {
        what: '`mesh`: JSON with leading, subscribed, frozen, epoch, nodes (how many, by state) and plans',
        type: 'text/event-stream',
      },
      503: refused('too many listen already'),
    },
  },
  {
    ...{ method: 'get', path: '/v1/nodes', tag: 'state', summary: 'Every agent with the state of its proxy' },
    query: { limit: 'so many nodes', offset: 'leave out the first so many' },
    answers: {
      200: { what: 'the nodes; with `limit` or `offset`, `x-total-count` says how many there are', schema: 'Nodes' },
      400: refused('`limit` or `offset` is no number'),
      503: STANDBY,
    },
  },
  {
    ...{
      method: 'get',
      path: '/v1/services',
      tag: 'state',
      summary: 'Every service with its instances, and what its labels say',
    },
    answers: { 200: { what: 'the services, by name', schema: 'Services' }, 503: STANDBY },
  },
  {
    ...{
      method: 'get',
      path: '/v1/traffic',
      tag: 'state',
      summary: 'Requests, successes and latencies of the last seconds',
    },
    answers: { 200: { what: 'the figures, as callers saw it', schema: 'Traffic' }, 503: STANDBY },
  },
  {
    ...{
      method: 'get',
      path: '/v1/state/frameworkId',
      tag: 'state',
      summary: "The framework's id, as the DC/OS SDK answers it",
    },
    answers: {
      200: { what: 'a list of one; of none until Mesos has given an id', schema: 'FrameworkId' },
      404: { what: 'it is uninstalled: there is no id any more' },
      503: STANDBY,
    },
  },
  {
    ...{
      method: 'get',
      path: '/v1/doctor',
      tag: 'state',
      summary: 'What is wrong around the mesh, why, and what to do',
    },
    query: { app: 'also how this app reaches the proxy of its node: /shop/cart' },
    answers: {
      200: { what: 'the findings, check by check; also of a standby', schema: 'Diagnosis' },
      400: refused('`app` is no id'),
      503: refused('more apps are being looked at than may be'),
    },
  },
  {
    ...{ method: 'get', path: '/v1/openapi.json', tag: 'state', summary: 'This document' },
    answers: { 200: { what: 'OpenAPI 3.1', type: 'application/json' } },
  },
  {
    ...{ method: 'get', path: '/metrics', tag: 'state', summary: 'Metrics for Prometheus' },
    answers: { 200: { what: 'docs/metrics.md lists them', type: 'text/plain' } },
  },
  {
    ...{
      method: 'get',
      path: '/artifacts/{name}',
      tag: 'proxies',
      summary: 'An archive of the proxy, for agents and proxies',
    },
    answers: { 200: { what: 'the archive', type: 'application/gzip' }, 404: refused('there is no such archive') },
  },
];

const NO_PLAN = { what: 'there is no such plan, phase or step', type: 'text/plain' };

const PLANS: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/v1/plans', tag: 'plans', summary: 'The names of the plans' },
    answers: { 200: { what: 'the names', schema: 'Names' }, 503: STANDBY },
  },
  {
    ...{ method: 'get', path: '/v1/plans/{plan}', tag: 'plans', summary: 'A plan with its phases and steps' },
    answers: {
      200: { what: 'it is complete', schema: 'Plan' },
      202: { what: 'it is not complete yet', schema: 'Plan' },
      404: NO_PLAN,
      417: { what: 'it has errors', schema: 'Plan' },
      503: STANDBY,
    },
  },
  ...PLAN_VERBS.map(
    (verb): Operation => ({
      ...{
        method: 'post',
        path: `/v1/plans/{plan}/${verb}`,
        tag: 'plans',
        summary: `${verb} a plan, a phase or a step`,
      },
      query: { phase: 'only this phase of it', step: 'only this step of the phase' },
      ...(verb === 'start' ? { body: { types: JSON_TYPES, schema: 'PlanParameters' } } : {}),
      answers: {
        200: { what: 'done', schema: 'Message' },
        208: { what: 'it is so already', schema: 'Message' },
        400: refused('a step without its phase, or parameters that are no map'),
        404: NO_PLAN,
        409: refused('it makes no sense there'),
        503: STANDBY,
      },
    }),
  ),
  {
    ...{ method: 'get', path: '/v1/freeze', tag: 'plans', summary: 'Whether the mesh is frozen' },
    answers: { 200: { what: 'whether it is', schema: 'Frozen' }, 503: STANDBY },
  },
  ...(['freeze', 'thaw'] as const).map(
    (verb): Operation => ({
      ...{
        method: 'post',
        path: `/v1/${verb}`,
        tag: 'plans',
        summary: verb === 'freeze' ? 'Stop every change but repair' : 'End a freeze',
      },
      body: { types: JSON_TYPES, schema: 'FreezeRequest' },
      answers: {
        200: { what: 'done', schema: 'FreezeChanged' },
        208: { what: 'it is so already', schema: 'FreezeChanged' },
        400: refused('the body is not understood'),
        409: refused('not while everything is uninstalled'),
        503: STANDBY,
      },
    }),
  ),
];

const NO_NODE = refused('there is no such node');

const NODES: readonly Operation[] = [
  ...(['exclude', 'include'] as const).map(
    (verb): Operation => ({
      ...{
        method: 'post',
        path: `/v1/nodes/{node}/${verb}`,
        tag: 'state',
        summary:
          verb === 'exclude'
            ? 'Take the proxy of a node away, and launch none there'
            : 'Have a proxy on the node again',
      },
      ...(verb === 'exclude' ? { body: { types: JSON_TYPES, schema: 'ExcludeRequest' } } : {}),
      answers: {
        200: { what: 'done', schema: 'Message' },
        208: { what: 'it is so already', schema: 'Message' },
        ...(verb === 'exclude' ? { 400: refused('the body is not understood') } : {}),
        404: NO_NODE,
        409: refused('not while everything is uninstalled'),
        503: STANDBY,
      },
    }),
  ),
  {
    ...{ method: 'get', path: '/v1/nodes/{node}/probe', tag: 'state', summary: 'Ask each listener of a proxy now' },
    answers: { 200: { what: 'whether they answer', schema: 'Probe' }, 404: NO_NODE, 503: STANDBY },
  },
];

export const STATE_OPERATIONS: readonly Operation[] = [...READS, ...NODES, ...PLANS];
