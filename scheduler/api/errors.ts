/** How the API says no: a status and one sentence as JSON, and never a stack trace. */
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { StateStoreError } from '../../framework/index.ts';

export class ApiError extends Error {
  readonly status: number;
  /** What stands beside the sentence, for programs. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.details = details;
  }
}

export const notFound: RequestHandler = (request) => {
  throw new ApiError(404, `there is nothing at ${request.method} ${request.path}`);
};

/** Errors of express' own (a body that is no JSON, a bad path) carry a status below 500 and a message for people. */
export function errorHandler(log: (error: unknown, path: string) => void): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    // What could not be stored was not done; it says itself what to do.
    if (error instanceof StateStoreError && !response.headersSent) {
      log(error, request.path);
      response.status(503).json({ error: error.message });
      return;
    }
    const given = error instanceof Error && 'status' in error ? Number(error.status) : 500;
    const status = given >= 400 && given < 600 ? given : 500;
    if (status === 500) log(error, request.path);
    if (response.headersSent) return next(error);
    const message =
      status !== 500 && error instanceof Error ? error.message : 'something went wrong; the log says what';
    response.status(status).json({ error: message, ...(error instanceof ApiError ? error.details : {}) });
  };
}
