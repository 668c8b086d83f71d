/** `GET /v1/doctor[?app=ID]`: looks at Mesos, Marathon, ZooKeeper and the rest, and says what is wrong. */
import { Router } from 'express';
import { BusyError, type Doctor } from '../doctor/doctor.ts';
import { ApiError } from './errors.ts';

/** Marathon's ids are shorter. */
const MAX_ID = 1_000;

export function doctorRouter(doctor: Pick<Doctor, 'examine'>): Router {
  const router = Router();
  router.get('/v1/doctor', async (request, response) => {
    const { app } = request.query;
    if (app !== undefined && (typeof app !== 'string' || app === '' || app.length > MAX_ID)) {
      throw new ApiError(400, '?app= is the id of one app, such as /shop/cart');
    }
    const diagnosis = await doctor.examine(app ?? null).catch((error: unknown) => {
      throw error instanceof BusyError ? new ApiError(503, error.message) : error;
    });
    response.json(diagnosis);
  });
  return router;
}
