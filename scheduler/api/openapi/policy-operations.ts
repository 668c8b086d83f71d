/** The configuration of the proxies, shifts, and what namerd has no words for. */
import { type Operation, refused } from './operation.ts';

const JSON_TYPES = ['application/json'];
const STANDBY = refused('this scheduler does not lead, or is starting');
const ROLLOUT = {
  canary: 'nodes of the first step',
  steps: 'shares of the nodes, in percent: 10,50,100',
  window: 'how long each step is looked at: 30s',
  minRequests: 'with fewer a step is not proven',
  maxUnavailable: 'nodes that are changed at a time',
  stepTimeout: 'a node that is not where it is told to be after so long has failed',
  note: 'why',
  author: 'who, for the record',
};
const BEGUN = { what: 'it goes out, by the plan `config`', schema: 'ConfigBegun' } as const;

const CONFIG: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/v1/config', tag: 'config', summary: 'The configuration that all nodes have' },
    answers: { 200: { what: 'it, with its revision as `etag`', schema: 'Config' }, 503: STANDBY },
  },
  {
    ...{ method: 'put', path: '/v1/config', tag: 'config', summary: 'Check a configuration, and roll it out' },
    query: { ...ROLLOUT, strict: 'true: refuse it when a name in it does not bind' },
    headers: { 'if-match': 'refuse it unless this is the revision' },
    body: { types: ['application/yaml', 'application/json'] },
    answers: {
      202: BEGUN,
      400: { what: 'it is not valid; all faults with their places', schema: 'ConfigFaults' },
      409: refused('another revision is under way'),
      412: refused('the configuration has changed since'),
      503: STANDBY,
    },
  },
  {
    ...{ method: 'get', path: '/v1/config/revisions', tag: 'config', summary: 'The revisions, the newest first' },
    answers: { 200: { what: 'the revisions', schema: 'ConfigRevisions' }, 503: STANDBY },
  },
  {
    ...{
      method: 'get',
      path: '/v1/config/revisions/{revision}',
      tag: 'config',
      summary: 'A revision, and what it changed',
    },
    answers: { 200: { what: 'it', schema: 'ConfigRevision' }, 404: refused('there is none (any more)'), 503: STANDBY },
  },
  {
    ...{
      method: 'post',
      path: '/v1/config/rollback',
      tag: 'config',
      summary: 'Roll out what an earlier revision said',
    },
    query: ROLLOUT,
    body: { types: JSON_TYPES, schema: 'Rollback' },
    answers: {
      202: BEGUN,
      400: refused('the body names no revision'),
      404: refused('there is none (any more)'),
      409: refused('another one is under way, or this one did harm'),
      503: STANDBY,
    },
  },
  {
    ...{ method: 'post', path: '/v1/config/abort', tag: 'config', summary: 'Turn back the revision that is under way' },
    answers: {
      202: { what: 'it is being turned back', schema: 'Message' },
      409: refused('none is under way'),
      503: STANDBY,
    },
  },
];

const NO_SHIFT = refused('there is no such shift');
const ONE = '/v1/shifts/{service}';

const SHIFTS: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/v1/shifts', tag: 'shifts', summary: 'All shifts of traffic' },
    answers: { 200: { what: 'the shifts', schema: 'Shifts' }, 503: STANDBY },
  },
  {
    ...{ method: 'post', path: '/v1/shifts', tag: 'shifts', summary: "Begin to send an app's requests elsewhere" },
    body: { types: JSON_TYPES, schema: 'ShiftRequest' },
    answers: {
      201: { what: 'begun', schema: 'Shift' },
      400: refused('the body is not understood'),
      404: NO_SHIFT,
      409: refused('it cannot be begun'),
      503: STANDBY,
    },
  },
  {
    ...{ method: 'get', path: ONE, tag: 'shifts', summary: 'A shift: which step, what it has counted, why it ended' },
    answers: { 200: { what: 'it', schema: 'Shift' }, 404: NO_SHIFT, 503: STANDBY },
  },
  ...(['pause', 'continue'] as const).map(
    (verb): Operation => ({
      ...{
        method: 'post',
        path: `${ONE}/${verb}`,
        tag: 'shifts',
        summary: verb === 'pause' ? 'Go no step on' : 'Go on after a pause',
      },
      answers: {
        200: { what: 'done', schema: 'Shift' },
        404: NO_SHIFT,
        409: refused('it makes no sense there'),
        503: STANDBY,
      },
    }),
  ),
  {
    ...{ method: 'delete', path: ONE, tag: 'shifts', summary: 'Send all requests to the source again' },
    answers: { 200: { what: 'done', schema: 'Shift' }, 404: NO_SHIFT, 409: refused('it is over'), 503: STANDBY },
  },
];

const NO_NAMESPACE = refused('there is no such namespace');

const NAMESPACES: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/v1/dtabs', tag: 'dtabs', summary: 'The namespaces' },
    answers: { 200: { what: 'the namespaces', schema: 'Namespaces' }, 503: STANDBY },
  },
  {
    ...{ method: 'get', path: '/v1/dtabs/{ns}', tag: 'dtabs', summary: 'A namespace as it was written' },
    answers: { 200: { what: 'it', schema: 'Namespace' }, 404: NO_NAMESPACE, 503: STANDBY },
  },
  {
    ...{
      method: 'get',
      path: '/v1/dtabs/{ns}/history',
      tag: 'dtabs',
      summary: 'The versions of a namespace, the newest first',
    },
    answers: { 200: { what: 'the versions', schema: 'NamespaceHistory' }, 404: NO_NAMESPACE, 503: STANDBY },
  },
  {
    ...{ method: 'post', path: '/v1/dtabs/{ns}/revert', tag: 'dtabs', summary: 'Go back to an earlier version' },
    query: { force: 'true: also where names that clients ask for would no longer bind' },
    headers: { 'if-match': 'only if it is still at this version' },
    body: { types: JSON_TYPES, schema: 'Revert' },
    answers: {
      200: { what: 'done', schema: 'Reverted' },
      400: refused('the body is not understood'),
      404: refused('there is no such namespace or version'),
      409: refused('names would no longer bind; `names` has them'),
      412: refused('it has changed since'),
      503: STANDBY,
    },
  },
  {
    ...{ method: 'get', path: '/v1/ambiguous-names', tag: 'dtabs', summary: 'Names that several apps claim' },
    answers: { 200: { what: 'the names', schema: 'AmbiguousNames' }, 503: STANDBY },
  },
  {
    ...{ method: 'get', path: '/v1/audit', tag: 'audit', summary: 'Who changed what, the newest first' },
    query: { limit: 'so many entries', target: 'only of this target: dtab default' },
    answers: { 200: { what: 'the entries', schema: 'Audit' }, 400: refused('`limit` is no number'), 503: STANDBY },
  },
];

export const POLICY_OPERATIONS: readonly Operation[] = [...CONFIG, ...SHIFTS, ...NAMESPACES];
