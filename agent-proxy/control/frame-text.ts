/** What stands in a record of the control stream: a frame as JSON, or that compressed. */
import { gunzipSync } from 'node:zlib';
import { MAX_RECORD_BYTES } from './contract.ts';

/** RFC 1952, section 2.3.1: ID1. No JSON text begins with it. */
const GZIP = 0x1f;

/** @throws where it is damaged, or holds more than a record may. */
export function frameText(record: Buffer): string {
  if (record[0] !== GZIP) return record.toString('utf8');
  return gunzipSync(record, { maxOutputLength: MAX_RECORD_BYTES }).toString('utf8');
}
