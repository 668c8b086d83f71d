/** Fetches the configuration of the proxies from where the options say. */
import { request } from 'undici';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 512 * 1024;

/** @throws with a sentence: what happened, at which URL. */
export async function fetchMeshConfig(url: string): Promise<string> {
  const answer = await request(url, { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS }).catch((error: unknown) => {
    throw new Error(`${url} does not answer (${error instanceof Error ? error.message : String(error)})`);
  });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    throw new Error(`${url} answers ${answer.statusCode}`);
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer.body) {
    const bytes = Buffer.from(part as Uint8Array);
    size += bytes.length;
    if (size > MAX_BYTES) throw new Error(`${url} answers with more than ${MAX_BYTES} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}
