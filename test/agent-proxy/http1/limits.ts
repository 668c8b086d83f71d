/** The limits of a head that most tests of the parser have. */
import type { HeadLimits } from '../../../agent-proxy/http1/head-scanner.ts';

export const LIMITS: HeadLimits = { maxLine: 4096, maxHeaders: 8192, maxFields: 64 };
