/** The page docs/errors.md: the codes that people see, from the table of them, with what to do. */
import { REASONS, type ReasonCode } from '../../agent-proxy/control/reason-codes.ts';
import { code, table } from './table.ts';

const INTRODUCTION = `# Errors

<!-- Made from the tables of codes (agent-proxy/control/reason-codes.ts, test/docs/errors-page.ts) by npm run docs. Do not edit. -->

The codes that people and programs see. Every message says beside its code what happened, to what, and why; this page says what to do.

## Reason codes

Why a request failed: in the answer's body and \`l5d-err\`, in the access log, and in metrics as \`failures{exception="<code>"}\`. A request
that was answered by the application has none but \`app-error\`. Where nothing was sent, \`l5d-retryable: true\` says that the client may send it again;
the proxy itself has done so already, as far as its [budget](configuration.md) goes.
`;

/** What to do, for whom it meets. A record, so that a new code is missing here when the types are checked. */
const REMEDIES: Readonly<Record<ReasonCode, string>> = {
  'bad-request': 'mend the client: the text behind the code says which part of the request',
  'not-supported': 'do without it, or send it past the proxy: [what is not supported](differences.md)',
  unidentified: 'send a `Host` header, or look at `identifier` of the router',
  'not-exposed': 'label the app with `NODEMESH_EXPOSE`: [the edge](edge.md)',
  'unknown-name': '`nodemesh delegate NAME` shows where the name leads; is the app there, and spelt so?',
  unbound: 'the text behind the code says who did not answer, or where the dtab goes in a circle',
  'no-endpoint': 'start instances; `GET /v1/services` says why those that run take no traffic',
  refused: 'look whether the instance listens on the port that Marathon gave it, and on the address of its agent',
  reset: "look into the instance's log: it closed the connection, or died, in the middle",
  deadline: "give the caller more time, or make the app faster: the caller's own deadline had passed",
  timeout: 'raise `NODEMESH_TIMEOUT` of the app, or make it faster',
  shed: 'give the proxy more CPU (`--proxy-cpus`, `--proxy-workers`), or the app more instances',
  breaker: 'look why all instances fail: they are tried again by themselves',
  nack: 'nothing, if it is rare: the instance has just gone. Else `nodemesh why NODE`: is its table old?',
  'not-ready': 'wait a moment after the start of a proxy; if it lasts, `nodemesh why NODE`',
  'bad-response': 'mend the app: its answer is not HTTP/1.1; the text behind the code says where',
  'client-gone': 'nothing: the caller gave up. If it is frequent, compare its timeout with the latency of the app',
  'app-error': "look into the app's log: the answer is its own",
};

const STATUSES: readonly (readonly [status: string, meaning: string, remedy: string])[] = [
  [
    '400',
    'the request is not understood',
    'the sentence says which part; [openapi.json](openapi.json) has all requests',
  ],
  ['401', 'the token is missing or wrong', 'name the file of the token with `--api-token-file`'],
  ['403', 'a page of another site wanted to write', 'write from the command line, or from the dashboard'],
  ['404', 'there is no such thing', 'the lists (`nodemesh plan list`, `dtab list`, `nodes`) have the names'],
  [
    '409',
    'it makes no sense now, or somebody else was first',
    'the sentence says what stands in the way; `--force` where it names it',
  ],
  ['412', 'it has changed since you read it', 'read it again, and write with the new version'],
  ['413', 'the body is too large', 'the sentence says how large it may be'],
  ['415', 'the body has another type', 'send it as `application/json`'],
  ['417', 'the plan has errors', '`nodemesh plan show PLAN` shows them; `plan restart` tries again'],
  [
    '500',
    'a fault of the scheduler, or a name that cannot be evaluated',
    "the scheduler's log, or `nodemesh delegate NAME`",
  ],
  [
    '503',
    'this scheduler does not lead, is starting, or cannot reach its state store',
    'ask the `leader` that the answer names, or try again; `nodemesh doctor`',
  ],
  ['507', 'as many namespaces as are kept', 'delete one'],
];

const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done; for `why`: the node is healthy; for `bind`: the name leads somewhere'],
  ['1', 'not done, and the line on standard error says why; for `why`, `bind` and `doctor`: the answer is a bad one'],
  ['2', 'a mistake on the command line, or no such name'],
  ['3', 'only of `doctor`: there are warnings, and no errors'],
];

export function errorsPage(): string {
  const reasons = Object.entries(REASONS).map(([name, { status, retryable, sentence }]) => [
    ...[code(name), status === null ? '' : String(status), retryable ? 'yes' : 'no', sentence],
    REMEDIES[name as ReasonCode],
  ]);
  return [
    INTRODUCTION,
    table(['code', 'status', 'nothing was sent', 'what happened', 'what to do'], reasons),
    '## Statuses of the API\n',
    'A refusal is `{"error": "<one sentence>"}`, with more keys where a program needs them. On `/v1/plans` 202, 208 and 417 are answers, as',
    'in the DC/OS SDK.\n',
    table(['status', 'meaning', 'what to do'], STATUSES),
    '## Exit codes\n',
    table(['code', 'meaning'], EXIT_CODES),
    '## Why a node is not healthy\n',
    '`nodemesh why NODE` and `nodemesh nodes` have one sentence for each node that is not healthy; [operating.md](operating.md#why-is-a-node-not-healthy)',
    'has the states.\n',
  ].join('\n');
}
