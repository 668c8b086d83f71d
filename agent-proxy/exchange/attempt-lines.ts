/** The header lines that an attempt adds to its request: trace, dtab, deadline, and what the server's configuration asks for. */
import type { Attempt } from './attempt.ts';
import { deadlineLine, dtabLine } from './context-lines.ts';
import { entranceLines } from './entrance.ts';
import type { RequestFacts } from './request-facts.ts';

/** `deadlineAt` is when the request has to be over, milliseconds of the process' clock; infinite where nothing says so. */
export function attemptLines(request: RequestFacts, attempt: Attempt, deadlineAt: number): string {
  const { runtime, deadline, localDtab, entrance } = request;
  let lines = runtime.propagator.send(request.context, attempt.context, request.traceFormats);
  if (localDtab !== null) lines += dtabLine(localDtab);
  if (deadline !== null || runtime.settings.tellsDeadline) {
    const leftMs = deadlineAt === Number.POSITIVE_INFINITY ? null : deadlineAt - runtime.now();
    lines += deadlineLine(deadline, runtime.wallClock(), leftMs);
  }
  return entrance.addsLines ? lines + entranceLines(request) : lines;
}
