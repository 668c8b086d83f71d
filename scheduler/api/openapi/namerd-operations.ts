/** namerd's HTTP API. Its answers are namerd's own, a line of JSON each; docs/namerd.md tells of them. */
import { type Operation, refused } from './operation.ts';

const JSON_LINE = 'application/json';
const STANDBY = refused('this scheduler does not lead, or a namer has not answered in time');
const WATCH = { watch: 'true: a line for each value, without end' };
const FORCE = { force: 'true: also where names that clients ask for would no longer bind' };
const IF_MATCH = { 'if-match': 'only if it is still at this version' };
const ONE = '/api/1/dtabs/{ns}';
const NO_NAMESPACE = refused('there is no such namespace');
const DTAB = { types: ['application/json', 'application/dtab', 'text/plain'], schema: 'Dtab' } as const;
const WRITTEN = {
  204: { what: 'written' },
  400: refused('the dtab is not understood; `line` and `column` say where'),
  409: refused('names would no longer bind (`names`), or the namespace is there already'),
  412: refused('it has changed since'),
  413: refused('a dtab may have 48 kB'),
  503: STANDBY,
  507: refused('there are as many namespaces as are kept'),
};

const NAMESPACES: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/api/1/dtabs', tag: 'namerd', summary: 'The names of the namespaces' },
    query: WATCH,
    answers: { 200: { what: 'the names', schema: 'Names' }, 503: STANDBY },
  },
  ...(['get', 'head'] as const).map(
    (method): Operation => ({
      ...{
        method,
        path: ONE,
        tag: 'namerd',
        summary: method === 'get' ? 'The dtab of a namespace' : 'Its version alone',
      },
      query: method === 'get' ? WATCH : {},
      answers: {
        200: { what: 'as JSON or as text, by `accept`; `etag` is its version', type: JSON_LINE },
        404: NO_NAMESPACE,
        503: STANDBY,
      },
    }),
  ),
  {
    ...{ method: 'post', path: ONE, tag: 'namerd', summary: 'Make a namespace' },
    ...{ query: FORCE, body: DTAB, answers: WRITTEN },
  },
  {
    ...{ method: 'put', path: ONE, tag: 'namerd', summary: 'Write the dtab of a namespace' },
    ...{ query: FORCE, headers: IF_MATCH, body: DTAB, answers: WRITTEN },
  },
  {
    ...{ method: 'delete', path: ONE, tag: 'namerd', summary: 'Delete a namespace' },
    ...{ query: FORCE, headers: IF_MATCH, answers: { ...WRITTEN, 404: NO_NAMESPACE } },
  },
];

const NAME = { path: 'the name: /svc/web', dtab: 'rules that go before those of the namespace' };
const ASKED = {
  400: refused('the path or the dtab is not understood'),
  500: refused('the name cannot be evaluated'),
  503: STANDBY,
};

function asked(path: string, summary: string, what: string): Operation {
  return {
    ...{ method: 'get', path, tag: 'namerd', summary },
    query: { ...NAME, ...WATCH },
    answers: { 200: { what, type: JSON_LINE }, ...ASKED },
  };
}

const NAMES: readonly Operation[] = [
  asked('/api/1/bind/{ns}', 'Which instances a name leads to', 'the bound tree'),
  asked('/api/1/resolve/{ns}', 'The addresses that a name leads to', 'the addresses; of a split those of one branch'),
  asked('/api/1/addr/{ns}', 'The addresses of a bound name', 'the addresses'),
  asked('/api/1/delegate/{ns}', 'How a name is rewritten, step by step', 'the steps'),
  asked('/api/1/delegate', 'The same by rules of the request alone', 'the steps'),
  ...['/api/1/delegate/{ns}', '/api/1/delegate'].map(
    (path): Operation => ({
      ...{ method: 'post', path, tag: 'namerd', summary: "The same, as linkerd's dashboard asks" },
      body: { types: ['application/json'], schema: 'DelegateRequest' },
      answers: { 200: { what: 'the steps', type: JSON_LINE }, 415: refused('the body is no JSON'), ...ASKED },
    }),
  ),
  {
    ...{ method: 'get', path: '/api/1/bound-names', tag: 'namerd', summary: 'All names that namers can list' },
    query: WATCH,
    answers: { 200: { what: 'the names', schema: 'Names' }, 503: STANDBY },
  },
];

export const NAMERD_OPERATIONS: readonly Operation[] = [...NAMESPACES, ...NAMES];
