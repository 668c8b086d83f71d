/** `GET /v1/ambiguous-names`: names that several apps claim, each with the app that has it and the others. */
import { Router } from 'express';
import type { MeshNames } from '../policy/mesh-names.ts';

export function ambiguousNamesRouter(names: () => MeshNames): Router {
  const router = Router();
  router.get('/v1/ambiguous-names', (_request, response) => {
    response.json(names().ambiguous());
  });
  return router;
}
