/** linkerd's `interpreter:` – namerd and the default one become the scheduler; transformers of a hop are what a mesh does. */
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import { type Block, type Draft, isEmpty } from './draft.ts';

export interface MovedInterpreter {
  /** For the proxies' configuration; null where the scheduler's does. */
  readonly kept: Block | null;
  /** The namespace of a namerd; null where names are bound by the router's own dtab. */
  readonly namespace: string | null;
  /** The router's dtab stays its own: it is evaluated before the namespace, or there is no namespace. */
  readonly keepsDtab: boolean;
}

const OF_NAMERD = ['io.l5d.namerd', 'io.l5d.namerd.http', 'io.l5d.mesh'];
const SCHEDULER = 'io.nodemesh.scheduler';

const KEY_REASONS: Readonly<Record<string, string>> = {
  dst: 'the scheduler is where namerd was, and proxies know where it is',
  retry: 'proxies keep the stream to the scheduler by themselves, and serve on without it',
  tls: 'proxies prove themselves to the scheduler by a key of their own',
  failureThreshold: 'proxies keep the stream to the scheduler by themselves, and serve on without it',
  initialStreamWindowSizeKB: 'there is no gRPC here',
  experimental: 'nothing needs it here',
};

export function moveInterpreter(
  interpreter: unknown,
  place: string,
  role: 'outgoing' | 'incoming' | 'other',
  draft: Draft,
): MovedInterpreter {
  if (isEmpty(interpreter)) return { kept: null, namespace: null, keepsDtab: false };
  if (!isRecord(interpreter)) {
    draft.notUnderstood(place, interpreter, 'it is no block of keys');
    return { kept: null, namespace: null, keepsDtab: false };
  }
  const { kind = 'default', transformers, ...others } = interpreter;
  const left = moveTransformers(transformers, `${place}.transformers`, role, draft);
  if (kind === 'default') {
    draft.changed(`${place}.kind`, kind, SCHEDULER, 'the scheduler tells names and endpoints to all proxies');
    tellKeys(others, place, {}, draft);
    return { kept: left.length === 0 ? null : withLeft('default', left), namespace: null, keepsDtab: false };
  }
  if (typeof kind === 'string' && OF_NAMERD.includes(kind)) {
    const { namespace, root, ...more } = others;
    const name = namespaceOf(namespace ?? root);
    draft.changed(
      `${place}.kind`,
      kind,
      SCHEDULER,
      'the scheduler is what namerd was: nodemesh migrate --namerd URL takes its dtabs',
    );
    if (!isEmpty(namespace)) draft.taken(`${place}.namespace`, namespace, `namespace ${name}`);
    if (!isEmpty(root)) draft.taken(`${place}.root`, root, `namespace ${name}`);
    tellKeys(more, place, KEY_REASONS, draft);
    const kept = name === 'default' && left.length === 0 ? null : withLeft(name, left);
    return { kept, namespace: name, keepsDtab: true };
  }
  draft.taken(
    place,
    interpreter,
    'mesh.config: interpreter',
    kind === 'io.l5d.fs' ? 'its file has to be on every agent' : null,
  );
  return {
    kept: { kind, ...others, ...(left.length === 0 ? {} : { transformers: left }) },
    namespace: null,
    keepsDtab: true,
  };
}

const withLeft = (namespace: string, transformers: readonly unknown[]): Block => ({
  kind: SCHEDULER,
  namespace,
  ...(transformers.length === 0 ? {} : { transformers }),
});

/** The mesh interface calls it a root: `/default`. */
const namespaceOf = (given: unknown): string => String(given ?? 'default').replace(/^\//, '');

function tellKeys(block: Block, place: string, reasons: Readonly<Record<string, string>>, draft: Draft): void {
  for (const [key, value] of Object.entries(block)) {
    const why = reasons[key];
    if (why === undefined) draft.notUnderstood(`${place}.${key}`, value, 'this interpreter has no such key');
    else draft.leftOut(`${place}.${key}`, value, why);
  }
}

/** Those that made the two ends of a hop go: an outgoing router knows its peers, an incoming one its node. */
function moveTransformers(
  transformers: unknown,
  place: string,
  role: 'outgoing' | 'incoming' | 'other',
  draft: Draft,
): unknown[] {
  if (isEmpty(transformers)) return [];
  if (!Array.isArray(transformers)) {
    draft.notUnderstood(place, transformers, 'it is no list');
    return [];
  }
  return transformers.flatMap((transformer: unknown, index): unknown[] => {
    const own = `${place}[${index}]`;
    const kind = isRecord(transformer) ? transformer['kind'] : undefined;
    if (role === 'outgoing' && kind === 'io.l5d.port') {
      const why = "an outgoing router sends to the incoming one of the instance's node, and tells it which instance";
      draft.changed(own, transformer, 'proxies.incoming_port', why);
      return [];
    }
    if (role === 'incoming' && kind === 'io.l5d.localhost') {
      draft.changed(own, transformer, 'by itself', 'an incoming router delivers to instances of its node alone');
      return [];
    }
    draft.taken(own, transformer, 'mesh.config: interpreter.transformers');
    return [transformer];
  });
}
