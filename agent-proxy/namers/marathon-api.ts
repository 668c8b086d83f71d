/** The two questions that the namer asks Marathon: which apps there are, and where the tasks of one are. */
import { type Authorization, withAuthorization } from '../../framework/mesos-http-client/auth/authorization.ts';
import type { MarathonApp } from '../routing/marathon-endpoints.ts';
import { AppIdScanner } from './app-id-scanner.ts';
import type { MarathonHttp } from './marathon-http.ts';

export interface MarathonApiOptions {
  /** Up to where `/v2` begins, without a slash at its end. */
  readonly base: string;
  readonly http: MarathonHttp;
  readonly authorization: Authorization;
}

export class MarathonApi {
  private readonly options: MarathonApiOptions;

  constructor(options: MarathonApiOptions) {
    this.options = options;
  }

  /** Ids without leading slash, in lower case; null for an answer of another shape. @throws when there is no answer. */
  appIds(signal: AbortSignal): Promise<ReadonlySet<string> | null> {
    return this.get('/v2/apps', signal, () => new AppIdScanner());
  }

  /** One app with its tasks; null for an answer of another shape. @throws when there is no answer. */
  async app(id: string, signal: AbortSignal): Promise<MarathonApp | null> {
    const path = `/v2/apps/${id.split('/').map(encodeURIComponent).join('/')}`;
    const document = await this.get(`${path}?embed=app.tasks&embed=app.readiness`, signal, () => new JsonReader());
    // Its schema costs a worker 4 MB, which those without this namer are spared.
    const { readMarathonApp } = await import('../routing/marathon-endpoints.ts');
    return readMarathonApp(typeof document === 'object' && document !== null ? Reflect.get(document, 'app') : null);
  }

  /** A request that is sent again after a login is read anew. */
  private async get<T>(path: string, signal: AbortSignal, begin: () => Reader<T>): Promise<T> {
    const { base, http, authorization } = this.options;
    const url = new URL(`${base}${path}`);
    const answer = await withAuthorization(authorization, `GET ${url.href}`, async (header) => {
      const reader = begin();
      const headers = { accept: 'application/json', ...(header !== null && { authorization: header }) };
      const take = (chunk: Buffer): void => reader.write(chunk);
      return { reader, status: await http.call({ method: 'GET', url, headers, signal, take }) };
    });
    if (answer.status !== 200) throw new Error(`GET ${url.href}: answered ${answer.status} instead of 200`);
    return answer.reader.end();
  }
}

/** Takes a body as it comes. */
interface Reader<T> {
  write(chunk: Buffer): void;
  /** What the whole body is. */
  end(): T;
}

/** For documents that are small enough to be parsed in one go. */
class JsonReader implements Reader<unknown> {
  private readonly chunks: Buffer[] = [];

  write(chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  /** Null for what is not JSON. */
  end(): unknown {
    try {
      return JSON.parse(Buffer.concat(this.chunks).toString('utf8'));
    } catch {
      // As good as a document of another shape.
      return null;
    }
  }
}
