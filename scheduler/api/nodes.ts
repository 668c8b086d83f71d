/** One node over HTTP: whether it is to have a proxy, and whether its listeners answer. */
import express, { type Response, Router } from 'express';
import { z } from 'zod';
import type { NodeView } from '../node-view.ts';
import { type ListenerPorts, listenersOf, probedNode } from '../policy/listener-probe.ts';
import { isInner } from '../proxy/inner.ts';
import { noteForAudit } from './audit.ts';
import { ApiError } from './errors.ts';
import { type Leadership, leadingPlane } from './leading.ts';

export const excludeSchema = z.object({ why: z.string().max(200).optional() }).optional();

const NO_REASON = 'an operator left it out';

interface NodesOptions extends Leadership {
  readonly config: { readonly ports: ListenerPorts } & Parameters<typeof isInner>[0];
  readonly logger: { info(fields: object, message: string): void };
}

export function nodesRouter(options: NodesOptions): Router {
  const router = Router();
  const json = express.json({ limit: '64kb', type: () => true });

  router.post('/v1/nodes/:node/exclude', json, async (request, response) => {
    const parsed = excludeSchema.safeParse(request.body);
    if (!parsed.success) throw new ApiError(400, 'the body is not {"why": "…"}');
    const why = parsed.data?.why?.trim() ?? '';
    // It becomes a clause of the node's reason.
    await change(
      String(request.params['node']),
      why === '' ? NO_REASON : why.replace(/\s+/g, ' ').replace(/\.+$/, ''),
      response,
    );
  });
  router.post('/v1/nodes/:node/include', json, async (request, response) => {
    await change(String(request.params['node']), null, response);
  });

  router.get('/v1/nodes/:node/probe', async (request, response) => {
    const { status, session } = nodeNamed(String(request.params['node']));
    const { agentId, ip } = status;
    const probed = probedNode(
      { agentId, ip, hasEdge: session?.hasEdge === true, isInner: isInner(options.config, status) },
      options.config.ports,
    );
    response.json({ agentId, listeners: await listenersOf(probed) });
  });

  async function change(name: string, why: string | null, response: Response): Promise<void> {
    const { agentId, hostname } = nodeNamed(name).status;
    const { kind, message } = await leadingPlane(options).framework.holdOut(agentId, why);
    if (kind === 'not-found') throw new ApiError(404, message);
    if (kind === 'invalid') throw new ApiError(409, message);
    noteForAudit(response, { target: `node ${hostname}`, from: null, to: why === null ? 'in' : 'out' });
    if (kind === 'done')
      options.logger.info({ agentId, hostname, why }, 'an operator says whether a node gets a proxy');
    response.status(kind === 'already' ? 208 : 200).json({ message });
  }

  function nodeNamed(name: string): NodeView {
    const nodes = leadingPlane(options).nodes();
    const found = nodes.find(({ status: { agentId, hostname, ip } }) => [agentId, hostname, ip].includes(name));
    if (found === undefined) throw new ApiError(404, `there is no node ${name}`);
    return found;
  }

  return router;
}
