/** The access log's keys of a router. */
import { z } from 'zod';
import { fallsBack } from './keys.ts';
import { file, flag, integer } from './scalars.ts';

const POLICY = /^(never|hourly|daily|weekly\([1-7]\)|\d+(\.(bytes?|kilobytes?|megabytes?|gigabytes?))?)$/;

export const accessLog = {
  httpAccessLog: fallsBack(file.nullable(), null, 'A file with one line for each request.'),
  httpAccessLogRollPolicy: fallsBack(
    z
      .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string('is not a policy'))
      .pipe(z.string().regex(POLICY, 'is not never, hourly, daily, weekly(1-7) or a size such as 10.megabytes'))
      .meta({ shownAs: '`never`, `hourly`, `daily`, `weekly(1-7)` or a size such as `10.megabytes`' }),
    'never',
    'When a new file is begun.',
  ),
  httpAccessLogAppend: fallsBack(flag, true, 'Go on with a file that is there.'),
  httpAccessLogRotateCount: fallsBack(integer(-1), -1, 'Old files that are kept; -1: all.'),
};
