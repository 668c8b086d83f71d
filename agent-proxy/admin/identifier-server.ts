/**
 * linkerd's `httpIdentifierPort`: a listener for people who want to know how a request would be named. Each router's
 * identifier reads the request that came in, and the answer is a JSON map from router to name.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';

/** The name that each router finds in the request, or one sentence why there is none; by the router's label. */
export type IdentifyForAll = (request: IncomingMessage) => Promise<Readonly<Record<string, string>>>;

export function createIdentifierServer(identify: IdentifyForAll): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    // Only heads are read; a body may come and go.
    request.resume();
    const answer = (status: number, body: Readonly<Record<string, string>>): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    };
    identify(request).then(
      (names) => answer(200, names),
      (error: unknown) => answer(500, { error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
