/** `GET /artifacts/<name>`: what agents and proxies fetch. */
import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from 'express';
import type { ProxyArtifacts } from '../proxy/artifacts.ts';
import { ApiError } from './errors.ts';

/** Names are looked up in a table, so none leads out of it. */
export function artifactRoute(artifacts: Pick<ProxyArtifacts, 'at'>): RequestHandler {
  return async (request, response) => {
    const artifact = artifacts.at(request.path);
    if (artifact === undefined) throw new ApiError(404, `there is no archive ${request.path}`);
    response.setHeader('content-type', 'application/gzip');
    response.setHeader('content-length', artifact.size);
    // A name holds the digest of what it names.
    response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    const content = request.method === 'HEAD' ? null : artifact.read();
    if (content === null || Buffer.isBuffer(content)) response.end(content ?? undefined);
    // A reader that goes away is not a fault of ours.
    else await pipeline(content, response).catch(() => response.destroy());
  };
}
