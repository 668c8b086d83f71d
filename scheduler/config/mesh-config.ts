/** The configuration of the proxies as an option: a linkerd.yaml in base64, for no shell and no template can break that, or a URL. */
import { textual } from './values.ts';

export type MeshConfigSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'url'; readonly url: string };

/** As much as fits into a task's environment beside the rest. */
const MAX_BYTES = 72 * 1024;
const EXAMPLE = 'as base64 -w0 linkerd.yaml makes it';

export const meshConfig = textual((given): MeshConfigSource => {
  const text = given.replace(/\s/g, '');
  if (text.length % 4 === 1 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error(`is not base64, ${EXAMPLE}`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > MAX_BYTES) throw new Error(`has ${bytes.length} bytes, and ${MAX_BYTES} fit; give a URL instead`);
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    throw new Error(`is base64 of something that is not text in UTF-8; ${EXAMPLE}`);
  }
});

export const meshConfigUrl = textual((given): MeshConfigSource => {
  const url = URL.canParse(given) ? new URL(given) : null;
  // Where it comes from is told to whoever asks.
  if (url === null ? given.includes('@') : url.username !== '' || url.password !== '') {
    throw new Error('must not hold a name or a password, which would show in logs; use mesh.config (--mesh-config)');
  }
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new Error(`'${given}' is not a URL like https://example.com/linkerd.yaml`);
  }
  return { kind: 'url', url: url.href };
});
