/** The fuzzer as a whole. */
import type { Finding, FuzzOptions } from './finding.ts';
import { fuzzParser } from './parser.ts';
import { fuzzProxy } from './proxy.ts';

/** Half of the time goes to the parser, half to the whole proxy. Returns the first finding, or null after the time. */
export async function fuzz(options: FuzzOptions): Promise<Finding | null> {
  // Both parsers use exceptions for what they refuse; their stack traces cost more than all the rest.
  Error.stackTraceLimit = 0;
  const half = { ...options, seconds: options.seconds / 2 };
  return (await fuzzParser(half)) ?? (await fuzzProxy(half));
}
