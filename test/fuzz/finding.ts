/** What the fuzzer hands back, and what it is told. */

export interface FuzzOptions {
  readonly seconds: number;
  /** What is tried follows from it. */
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface Finding {
  /** Who read it: the parser, or the whole proxy; and from which side it came. */
  readonly part: 'requests' | 'responses' | 'proxy-requests' | 'proxy-responses';
  /** One character a byte. */
  readonly stream: string;
  readonly why: string;
}
