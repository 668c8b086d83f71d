/** Fetches the configuration of the proxies from where the options say. */
import { type Dispatcher, request } from 'undici';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 512 * 1024;
/** Hosts of repositories send on to where the file lies. */
const MAX_REDIRECTS = 3;

/** @throws with a sentence: what happened, at which URL (without its query, which may hold a token). */
export async function fetchMeshConfig(url: string): Promise<string> {
  const shown = url.replace(/\?.*/s, '?…');
  const answer = await walk(url).catch((error: unknown) => {
    throw new Error(`${shown} does not answer (${error instanceof Error ? error.message : String(error)})`);
  });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    throw new Error(`${shown} answers ${answer.statusCode}`);
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer.body) {
    const bytes = Buffer.from(part as Uint8Array);
    size += bytes.length;
    if (size > MAX_BYTES) throw new Error(`${shown} answers with more than ${MAX_BYTES} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function walk(from: string): Promise<Dispatcher.ResponseData> {
  for (let url = from, hop = 0; ; hop += 1) {
    const answer = await request(url, { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    const { location } = answer.headers;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.statusCode) && typeof location === 'string';
    if (!isRedirect || hop >= MAX_REDIRECTS || !URL.canParse(location, url)) return answer;
    await answer.body.dump();
    url = new URL(location, url).href;
  }
}
