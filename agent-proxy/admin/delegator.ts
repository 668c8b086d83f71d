/** `/delegator.json`: how a router rewrites a name, as linkerd answers it. */
import type { AdminExchange } from './exchange.ts';
import type { AdminHost, DelegateAnswer, DelegateQuestion } from './host.ts';

export async function delegator(host: AdminHost, exchange: AdminExchange, timeoutMs: number): Promise<void> {
  const asked = exchange.request.method === 'POST' ? await fromBody(exchange) : fromQuery(exchange.query);
  if (asked.kind === 'refused') {
    exchange.text(asked.status, asked.why);
    return;
  }
  const answer = await ask(host, exchange, asked.question, timeoutMs);
  if (answer.kind === 'tree') exchange.json(200, answer.tree);
  else exchange.text(answer.status, answer.why);
}

type Asked =
  | { readonly kind: 'question'; readonly question: DelegateQuestion }
  | { readonly kind: 'refused'; readonly status: 400 | 415; readonly why: string };

function fromQuery(query: URLSearchParams): Asked {
  const path = query.get('path');
  if (path === null) return { kind: 'refused', status: 400, why: '`path` is missing: ?path=/svc/name&dtab=…&router=…' };
  const router = query.get('router') ?? query.get('namespace');
  return { kind: 'question', question: { router, path, dtab: query.get('dtab') ?? '' } };
}

async function fromBody(exchange: AdminExchange): Promise<Asked> {
  if (!exchange.hasType('application/json')) {
    return { kind: 'refused', status: 415, why: 'the body has to be application/json' };
  }
  const body = await exchange.readJson();
  const { path, dtab = '', router, namespace } = isObject(body) ? body : {};
  const label = router ?? namespace ?? null;
  if (typeof path !== 'string' || typeof dtab !== 'string' || (label !== null && typeof label !== 'string')) {
    const why = 'the body is not {"router": "…", "path": "/svc/name", "dtab": "…"}, of which only `path` is needed';
    return { kind: 'refused', status: 400, why };
  }
  return { kind: 'question', question: { router: label, path, dtab } };
}

/** Asks the host, and stops waiting when the time is up. That the answer is closed, sent or not, tells the host to stop. */
async function ask(
  host: AdminHost,
  exchange: AdminExchange,
  question: DelegateQuestion,
  timeoutMs: number,
): Promise<DelegateAnswer> {
  const stop = new AbortController();
  exchange.onClosed(() => stop.abort());
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DelegateAnswer>((resolve) => {
    const why = `${question.path} could not be looked up within ${timeoutMs} ms: a namer or an address is still pending`;
    timer = setTimeout(() => resolve({ kind: 'refused', status: 503, why }), timeoutMs);
  });
  try {
    return await Promise.race([host.delegate(question, stop.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
