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

/** What an error comes to for whom it concerns. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Something for the log: not the asker's doing. */
  readonly isFault: boolean;
}

/** Errors of express' own (a body that is no JSON, a bad path) carry a status below 500 and a message for people. */
export function asAnswer(error: unknown): Answer {
  // What could not be stored was not done; it says itself what to do.
  if (error instanceof StateStoreError) return { status: 503, body: { error: error.message }, isFault: true };
  const given = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  const status = given >= 400 && given < 600 ? given : 500;
  const message = status !== 500 && error instanceof Error ? error.message : 'something went wrong; the log says what';
  const details = error instanceof ApiError ? error.details : {};
  return { status, body: { error: message, ...details }, isFault: status === 500 };
}

export function errorHandler(log: (error: unknown, path: string) => void): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const { status, body, isFault } = asAnswer(error);
    if (isFault) log(error, request.path);
    if (response.headersSent) return next(error);
    response.status(status).json(body);
  };
}
