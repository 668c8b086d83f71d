/** The identifier `io.l5d.header`: a header's value is the name, written as a path. */
import { DtabError } from '../routing/dtab-scanner.ts';
import { readPath } from '../routing/path.ts';
import { type Findings, type Identify, keyOf } from './identifier.ts';

export function headerPath(header: string): Identify {
  const name = header.toLowerCase();
  const absent = { kind: 'unidentified', reason: `io.l5d.header: the request has no ${header} header` } as const;
  return (head, findings) => {
    const value = head.header(name);
    return value === null ? findings.unidentified(absent) : keyOfPath(header, value, findings);
  };
}

function keyOfPath(header: string, value: string, findings: Findings): string | null {
  const malformed = (why: string): null =>
    findings.unidentified({ kind: 'malformed', reason: `io.l5d.header: ${header} is no path: ${why}` });
  try {
    return keyOf(readPath(value)) ?? malformed('it has a byte \\x00');
  } catch (error) {
    if (error instanceof DtabError) return malformed(error.message);
    throw error;
  }
}
