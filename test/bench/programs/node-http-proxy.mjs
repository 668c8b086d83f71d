/**
 * The baseline: a proxy of the few lines that anybody would write with `node:http` and a keep-alive `Agent`.
 * `node node-http-proxy.mjs PORT SERVICES`, where SERVICES is a JSON file of `{name, endpoints: [{address, port}]}`.
 */
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';

/**
 * @typedef {object} Route
 * @property {readonly import('../types.ts').Endpoint[]} endpoints
 * @property {number} next
 */

const [, , port = '', file = ''] = process.argv;
/** @type {readonly import('../types.ts').Service[]} */
const services = JSON.parse(readFileSync(file, 'utf8'));
/** @type {Map<string, Route>} */
const routes = new Map(services.map(({ name, endpoints }) => [name, { endpoints, next: 0 }]));
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, outgoing) => {
  const route = routes.get(incoming.headers.host ?? '');
  const endpoint = route?.endpoints[route.next++ % route.endpoints.length];
  if (endpoint === undefined) {
    outgoing.writeHead(404).end();
    return;
  }
  const { connection: _ours, ...headers } = incoming.headers;
  const upstream = request(
    { agent, host: endpoint.address, port: endpoint.port, method: incoming.method, path: incoming.url, headers },
    (answer) => {
      const { connection: _theirs, 'keep-alive': _hint, ...passed } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, passed);
      answer.pipe(outgoing);
    },
  );
  upstream.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
  incoming.pipe(upstream);
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', 4096);
