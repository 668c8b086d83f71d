/** One answer of something that may have to be waited for. */
import type { Request, Response } from 'express';
import type { Activity } from '../../../agent-proxy/routing/activity.ts';
import { ApiError } from '../errors.ts';

/** As linkerd's delegator: what is pending for longer is not waited for. */
const TIMEOUT_MS = 2_000;

/** The first value. @throws {ApiError} 503 when there is none in time, 500 with the reason when it fails. */
export async function firstValue<T>(activity: Activity<T>, request: Request): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      stop();
      request.socket.off('close', gone);
      settle();
    };
    const look = (): void => {
      const { state } = activity;
      if (state.kind === 'ok') end(() => resolve(state.value));
      else if (state.kind === 'failed') end(() => reject(new BindingFailed(state.reason)));
    };
    const gone = (): void => end(() => reject(new ApiError(503, 'the client is gone')));
    const timer = setTimeout(() => {
      end(() => reject(new ApiError(503, `not known within ${TIMEOUT_MS} ms: a namer or an address is still pending`)));
    }, TIMEOUT_MS);
    const stop = activity.observe(look);
    request.socket.once('close', gone);
    look();
  });
}

/** A name that cannot be evaluated: no fault of this process, but the status is namerd's. */
export class BindingFailed extends Error {}

/** A JSON document, with the newline that namerd puts behind each. */
export function sendLine(response: Response, contentType: string, text: string): void {
  response.status(200).setHeader('content-type', contentType);
  response.end(`${text}\n`);
}
