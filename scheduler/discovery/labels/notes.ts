/** What is to be said of labels: which one, and why it does nothing. */
import type { z } from 'zod';

export interface LabelNote {
  readonly label: string;
  readonly message: string;
}

/** Values may be long; what they say is quoted only so far. */
const MAX_MESSAGE = 300;
/** An app with more wrong labels is told of these first. */
const MAX_NOTES = 50;

export class Notes {
  readonly #notes: LabelNote[] = [];

  add(label: string, message: string): void {
    if (this.#notes.length >= MAX_NOTES) return;
    const short = message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE)}…`;
    this.#notes.push({ label, message: short });
  }

  /** What the value of a label comes to; null, and noted, where it is not understood. */
  read<T>(label: string, schema: z.ZodType<T, string>, value: string): T | null {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    this.add(label, `${parsed.error.issues.map(({ message }) => message).join('; ')}; the label is ignored`);
    return null;
  }

  /** By label, so that the same app always has the same. */
  sorted(): readonly LabelNote[] {
    return [...this.#notes].sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
  }
}
