/** Hides secrets in what is shown of a configuration. Pure. */

const MASK = '***';
/** By the words of a key: `clusterKey` is `cluster` and `key`. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  'authorization',
  'credential',
  'credentials',
  'passphrase',
  'passwd',
  'password',
  'secret',
  'secrets',
  'token',
]);
/** Of a key's last word: a `keyPath` says only where one is. */
const SECRET_ENDS: ReadonlySet<string> = new Set(['key', 'keys']);

/** A copy of plain JSON, with `***` for each secret that is set. A null stays: it says that there is none. */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\/\/[^/?#@\s]*@/g, `//${MASK}@`);
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isSecret(key) && inner !== null ? MASK : maskSecrets(inner)]),
  );
}

function isSecret(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  // What a path or a file is named for is not in the configuration.
  const last = words.at(-1) ?? '';
  if (last === 'path' || last === 'file') return false;
  return SECRET_ENDS.has(last) || words.some((word) => SECRET_WORDS.has(word));
}
