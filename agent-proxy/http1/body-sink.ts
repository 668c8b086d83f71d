/** Where the body of a message goes, and in which form: what its readers and its writers have in common. */

/** Where the pieces of a body go. Bytes are only good until the call returns. */
export interface BodySink {
  bytes(bytes: Buffer, from: number, to: number): void;
  /** Framing that the reader wrote itself, one character a byte. */
  text(text: string): void;
}

export type BodyForm = 'framed' | 'content';
