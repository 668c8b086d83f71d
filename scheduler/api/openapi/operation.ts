/** One request that the API answers, as openapi.json tells it. */
import type { AnswerName } from './answers.ts';
import type { BodyName } from './bodies.ts';

export type Method = 'get' | 'head' | 'post' | 'put' | 'delete';

export interface Answer {
  readonly what: string;
  /** JSON of this schema, unless `type` says otherwise. */
  readonly schema?: AnswerName;
  /** Another media type: its text is for people, or said elsewhere. */
  readonly type?: string;
}

export interface Operation {
  readonly method: Method;
  /** With `{name}` for what varies. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  /** Of the query, with what each says. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly types: readonly string[]; readonly schema?: BodyName };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Who may: for reads anybody unless said otherwise, for writes who has the API token. */
  readonly needs?: 'proxy-key' | 'nothing';
}

/** A refusal: `{"error": "…"}`. */
export const refused = (what: string): Answer => ({ what, schema: 'Error' });
