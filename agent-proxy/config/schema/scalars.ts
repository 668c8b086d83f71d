/**
 * Single values of linkerd.yaml: numbers, addresses, paths, dtabs. As with linkerd's reader, a number may be written in
 * quotes and a text without them.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { normalizeInetHost } from '../../routing/inet-address.ts';

const MAX_MS = 2_147_483_647;

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const message = `is not a whole number ${range}`;
  return z.preprocess(unquoted, z.number(message).int(message).min(min, message).max(max, message)).meta({
    shownAs: max === Number.MAX_SAFE_INTEGER ? `integer ≥ ${min}` : `integer ${min}–${max}`,
  });
}

export function decimal(min: number, max: number = Number.MAX_VALUE) {
  const message =
    max === Number.MAX_VALUE ? `is not a number of at least ${min}` : `is not a number from ${min} to ${max}`;
  return z.preprocess(unquoted, z.number(message).min(min, message).max(max, message)).meta({
    shownAs: max === Number.MAX_VALUE ? `number ≥ ${min}` : `number ${min}–${max}`,
  });
}

export const flag = z
  .preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean('is neither true nor false'),
  )
  .meta({ shownAs: 'true or false' });

export const text = z
  .preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    z.string('is not a text').min(1, 'is empty'),
  )
  .meta({ shownAs: 'text' });

/** Milliseconds, up to what a timer of Node's can wait (24 days). */
export const milliseconds = integer(0, MAX_MS).meta({ shownAs: 'milliseconds' });
/** The same for what cannot be at once: timeouts, intervals. */
export const duration = integer(1, MAX_MS).meta({ shownAs: 'milliseconds ≥ 1' });
export const port = integer(0, 65_535).meta({ shownAs: 'port' });
/** A port to connect to. */
export const remotePort = integer(1, 65_535).meta({ shownAs: 'port' });
export const ratio = decimal(0, 1);

/** `127.1` is 127.0.0.1, and `localhost` is where nothing has to be resolved. */
export const ip = z
  .preprocess(
    (value) => (typeof value === 'string' ? normalizeInetHost(value === 'localhost' ? '127.0.0.1' : value) : value),
    z.string('is not an IP address').refine((value) => isIP(value) !== 0, 'is not an IP address'),
  )
  .meta({ shownAs: 'IP address' });

/** A name or an address. Whether it resolves is found out later, again and again. */
export const host = z
  .string('is not a host')
  .regex(/^[A-Za-z0-9_.:%-]{1,253}$/, 'is not a host')
  .transform((value) => normalizeInetHost(value))
  .meta({ shownAs: 'host' });

export const file = text.meta({ shownAs: 'file' });

/** The name of a header field (RFC 9110 5.1). */
export const headerName = z
  .string('is not the name of a header')
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, 'is not the name of a header')
  .meta({ shownAs: 'header name' });

/** Of a router or a server, in metrics and logs. */
export const label = z
  .preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    z
      .string('is not a label')
      .regex(/^[A-Za-z0-9_.:#$%-]{1,64}$/, 'is not a label: 1 to 64 of A-Z a-z 0-9 _ . : # $ % -'),
  )
  .meta({ shownAs: 'label' });

function unquoted(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}
