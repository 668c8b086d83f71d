/**
 * Where a linkerd app has its configuration: in the command (`echo "<JSON>" | linkerd -- -`, as DC/OS' examples do), in a
 * variable, or in a file that is fetched. Nothing is run: the words of the shell are read, as far as they say a text.
 */
import { readDocument } from '../../agent-proxy/config/document.ts';
import { isRecord } from '../../agent-proxy/config/schema/keys.ts';
import type { Block } from './draft.ts';
import { wordsOf } from './shell-words.ts';

export type AppConfig =
  | { readonly kind: 'text'; readonly place: string; readonly text: string; readonly variables: readonly string[] }
  /** To be fetched by whoever can. */
  | { readonly kind: 'url'; readonly place: string; readonly url: string }
  | { readonly kind: 'none' };

export function configOfApp(app: Block): AppConfig {
  const { cmd, args, env } = app;
  if (typeof cmd === 'string') {
    const found = textInCommand(cmd);
    if (found !== null) return { kind: 'text', place: 'app.cmd', ...found };
  }
  for (const [index, arg] of (Array.isArray(args) ? args : []).entries()) {
    const text = typeof arg === 'string' ? configIn(arg) : null;
    if (text !== null) return { kind: 'text', place: `app.args[${index}]`, text, variables: [] };
  }
  for (const [name, value] of Object.entries(isRecord(env) ? env : {})) {
    const text = typeof value === 'string' ? configIn(value) : null;
    if (text !== null) return { kind: 'text', place: `app.env.${name}`, text, variables: [] };
  }
  return fetchedConfig(app);
}

/** The first fetched file that may be one; the command and the arguments may say which. */
function fetchedConfig({ fetch, uris, cmd, args }: Block): AppConfig {
  const said = [cmd, ...(Array.isArray(args) ? args : [])].filter((one) => typeof one === 'string').join(' ');
  const fetched = [
    ...(Array.isArray(fetch) ? fetch : []).map((one: unknown, index) => ({
      place: `app.fetch[${index}]`,
      uri: isRecord(one) ? one['uri'] : undefined,
      name: isRecord(one) && typeof one['destPath'] === 'string' ? one['destPath'] : null,
    })),
    ...(Array.isArray(uris) ? uris : []).map((uri: unknown, index) => ({
      place: `app.uris[${index}]`,
      uri,
      name: null,
    })),
  ].flatMap(({ place, uri, name }) =>
    typeof uri === 'string' && URL.canParse(uri)
      ? [{ place, url: uri, name: name ?? (new URL(uri).pathname.split('/').at(-1) || uri) }]
      : [],
  );
  const files = fetched.filter(({ name }) => /\.(ya?ml|json|conf)$/i.test(name));
  const chosen = files.find(({ name }) => said.includes(name)) ?? files[0];
  return chosen === undefined ? { kind: 'none' } : { kind: 'url', place: chosen.place, url: chosen.url };
}

function textInCommand(cmd: string): { text: string; variables: readonly string[] } | null {
  const heredoc = /<<-?\s*(['"]?)(\w+)\1[^\n]*\n([\s\S]*?)\n\s*\2(?:\n|$)/.exec(cmd);
  if (heredoc?.[3] !== undefined) {
    const text = configIn(heredoc[3]);
    if (text !== null) return { text, variables: heredoc[1] === '' ? variablesIn(heredoc[3]) : [] };
  }
  for (const { words, variables } of wordsOf(cmd)) {
    const start = words.findIndex((word) => /^(.*\/)?(echo|printf)$/.test(word));
    if (start < 0) continue;
    const rest = words.slice(start + 1).filter((word, index) => !(index === 0 && /^(-[neE]+|%s(\\n)?)$/.test(word)));
    const text = configIn(rest.join(' '));
    if (text !== null) return { text, variables };
  }
  return null;
}

const variablesIn = (text: string): string[] => [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name);

/** The text itself, or what it is in base64; null where neither is a configuration. */
function configIn(text: string): string | null {
  if (isConfig(text)) return text;
  const plain = text.trim();
  if (plain.length < 16 || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(plain)) return null;
  const decoded = Buffer.from(plain, 'base64').toString('utf8');
  return isConfig(decoded) ? decoded : null;
}

function isConfig(text: string): boolean {
  if (!/\b(routers|storage|interfaces)\b/.test(text)) return false;
  const read = readDocument(text);
  if (read.kind === 'bad' || !isRecord(read.value)) return false;
  return 'routers' in read.value || 'storage' in read.value || 'interfaces' in read.value;
}
