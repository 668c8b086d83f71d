/** ETags of dtabs as namerd has them: the version in 8 bytes, most significant first, as base64, without quotes. */

export function etagOf(version: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(version));
  return bytes.toString('base64');
}

/** The version that an ETag names, with quotes (RFC 9110, 8.8.3) or without; null where it can be no version of ours. */
export function versionOf(etag: string): number | null {
  const text = etag.trim().replace(/^"(.*)"$/, '$1');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 8 || bytes.toString('base64') !== text) return null;
  const version = bytes.readBigUInt64BE();
  return version <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(version) : null;
}
