/**
 * The proxies' reports, before all else of the API: with thousands of proxies they are most of what a scheduler is asked, and
 * a report's way through express costs more than the report itself. Refusals are those of the other routes.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { reportSchema } from '../../agent-proxy/control/contract.ts';
import { CONTROL_REPORT_PATH, TASK_HEADER } from '../../agent-proxy/control/wire-words.ts';
import type { ControlPlane } from '../control-plane.ts';
import { bearerOf, notTheProxy } from './auth.ts';
import { ApiError, asAnswer } from './errors.ts';

/** A report lists what a node's clients asked for, with a histogram for each service. */
const MAX_REPORT_BYTES = 8 * 1024 * 1024;

export type ReportTaker = Pick<ControlPlane, 'report'> & {
  readonly keys: Pick<ControlPlane['keys'], 'mayBeAdmitted' | 'admits'>;
};

export interface ReportOptions {
  /** Null until this process leads. */
  readonly plane: () => ReportTaker | null;
  readonly log: (error: unknown, path: string) => void;
  /** What is no report. */
  readonly others: RequestListener;
}

export function reportsFirst(options: ReportOptions): RequestListener {
  return (request, response) => {
    if (request.url === CONTROL_REPORT_PATH && request.method === 'POST') receive(options, request, response);
    else options.others(request, response);
  };
}

function receive(options: ReportOptions, request: IncomingMessage, response: ServerResponse): void {
  const refuse = (error: unknown): void => {
    const { status, body, isFault } = asAnswer(error);
    if (isFault) options.log(error, CONTROL_REPORT_PATH);
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    response.end(JSON.stringify(body));
  };
  try {
    admit(options.plane(), request);
  } catch (error) {
    // The rest of a body that nobody reads would keep its connection from the next request.
    request.resume();
    refuse(error);
    return;
  }
  const parts: Buffer[] = [];
  let size = 0;
  request.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= MAX_REPORT_BYTES) parts.push(part);
    else parts.length = 0;
  });
  request.on('end', () => {
    try {
      if (size > MAX_REPORT_BYTES) throw new ApiError(413, `the report is over ${MAX_REPORT_BYTES} bytes`);
      take(options.plane(), request, parts);
      response.writeHead(204);
      response.end();
    } catch (error) {
      refuse(error);
    }
  });
  // Broken off by its proxy, which reports again: there is nobody to answer.
  request.on('error', () => undefined);
}

/** Before the body is read. */
function admit(plane: ReportTaker | null, request: IncomingMessage): void {
  if (plane === null) throw new ApiError(503, 'the scheduler is starting');
  const task = request.headers[TASK_HEADER];
  if (!plane.keys.mayBeAdmitted(typeof task === 'string' ? task : null, bearerOf(request))) throw notTheProxy();
}

function take(plane: ReportTaker | null, request: IncomingMessage, parts: readonly Buffer[]): void {
  const parsed = reportSchema.safeParse(jsonOf(parts));
  if (!parsed.success) throw new ApiError(400, 'the body is not a report');
  if (plane === null) throw new ApiError(503, 'the scheduler is starting');
  if (!plane.keys.admits(parsed.data, bearerOf(request))) throw notTheProxy();
  if (!plane.report(parsed.data)) throw new ApiError(409, 'this session is not known (any more): subscribe again');
}

function jsonOf(parts: readonly Buffer[]): unknown {
  try {
    return JSON.parse((parts.length === 1 ? parts[0] : Buffer.concat(parts))?.toString() ?? '');
  } catch (error) {
    throw new ApiError(400, `the body is not a report: ${error instanceof Error ? error.message : String(error)}`);
  }
}
