/** The narrow waist of the proxy: heads of requests and responses as every protocol gives and takes them. */

/** Names and values in turn, as they came: case, order and duplicates are kept. */
export type RawHeaders = readonly string[];

export interface RequestHead {
  readonly method: string;
  /** Origin form (`/path?query`) or `*`. */
  readonly target: string;
  /** `1.1` or `1.0`. */
  readonly version: string;
  /** The authority that was asked for, as it was written; null where there is none. */
  readonly host: string | null;
  readonly headers: RawHeaders;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
}

/** The first value of a header, by its lower-case name. */
export function headerOf(headers: RawHeaders, name: string): string | null {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const key = headers[index];
    if (key !== undefined && key.length === name.length && key.toLowerCase() === name)
      return headers[index + 1] ?? null;
  }
  return null;
}
