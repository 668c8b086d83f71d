/**
 * The words in which the schema is written. Each key says what it means and what it is when it is not there; faults,
 * warnings and the reference in `docs/` are made from that.
 */
import { z } from 'zod';
import { closest } from '../closest.ts';
import { type Defaults, LINKERD_DEFAULTS, NODEMESH_DEFAULTS } from '../defaults.ts';

/** What a key's schema carries besides its type. */
export interface KeyNotes {
  readonly description?: string;
  /** The value where the key is not there. */
  readonly fallback?: unknown;
  /** The same under `linkerdCompat`, where it differs. */
  readonly linkerdFallback?: unknown;
  /** Why the key does nothing here: it is accepted with a warning. */
  readonly noEffect?: string;
  /** What is not supported yet: the key is refused. */
  readonly notYet?: string;
  /** The kind of a block that names none. */
  readonly fallbackKind?: string;
  /** Kinds of linkerd's that are refused by name. */
  readonly kindsNotYet?: readonly string[];
  /** How the value is shown in the reference, where its type alone says too little. */
  readonly shownAs?: string;
}

function noted<Schema extends z.ZodType>(schema: Schema, notes: KeyNotes): Schema {
  return schema.meta({ ...schema.meta(), ...notes });
}

/** A key that has to be there. */
export function needed<Schema extends z.ZodType>(schema: Schema, description: string): Schema {
  return noted(schema, { description });
}

/** A key that may be missing, and then nothing stands for it. */
export function optional<Schema extends z.ZodType>(schema: Schema, description: string): z.ZodOptional<Schema> {
  return noted(schema.optional(), { description });
}

/** A key whose default is the same for everybody. */
export function fallsBack<Schema extends z.ZodType>(
  schema: Schema,
  fallback: z.output<Schema> & z.core.util.NoUndefined<z.output<Schema>>,
  description: string,
): z.ZodDefault<Schema> {
  return noted(schema.default(fallback), { description, fallback });
}

/**
 * A key whose default is in `defaults.ts`: it depends on `linkerdCompat`, or layers override each other and only what is
 * written counts. Who completes the block fills it in.
 */
export function fromDefaults<Schema extends z.ZodType>(
  schema: Schema,
  pick: (defaults: Defaults) => unknown,
  description: string,
): z.ZodOptional<Schema> {
  return noted(schema.optional(), {
    description,
    fallback: pick(NODEMESH_DEFAULTS),
    linkerdFallback: pick(LINKERD_DEFAULTS),
  });
}

/** A block inside a block: where it is not there, its keys have their defaults. */
export function inner<Schema extends z.ZodObject>(schema: Schema, description: string): z.ZodPrefault<Schema> {
  return noted(schema.prefault(emptyInput(schema)), { description });
}

// A block whose keys all have defaults can be read from {}; TypeScript cannot conclude it for an open type parameter.
function emptyInput<Schema extends z.ZodObject>(_schema: Schema): z.input<Schema> {
  return {} as z.input<Schema>;
}

/** A key of linkerd's that does nothing here; its value is checked, warned of, and left out of the configuration. */
export function noEffect(schema: z.ZodType, why: string) {
  return schema
    .transform((): undefined => undefined)
    .optional()
    .meta({ description: `No effect: ${why}.`, noEffect: why });
}

/** A key of linkerd's that is refused, by the name of what it asks for. An empty list asks for nothing. */
export function notYet(what: string) {
  return z
    .unknown()
    .refine((value) => Array.isArray(value) && value.length === 0, `${what} is not supported yet`)
    .transform((): undefined => undefined)
    .optional()
    .meta({ description: `Refused: ${what} is not supported yet.`, notYet: what });
}

/** A list of plugins none of which is supported: each is refused by its kind. */
export function pluginsNotYet(description: string) {
  const plugin = z.looseObject({ kind: z.string() }).superRefine(({ kind }, context) => {
    context.addIssue({ code: 'custom', path: ['kind'], message: `${kind} is not supported yet` });
  });
  return z
    .array(plugin)
    .transform((): undefined => undefined)
    .optional()
    .meta({ description: `${description}. Refused: no kind is supported yet.`, notYet: 'every kind' });
}

/** What a block with an unknown kind is told. */
export function kindError(noun: string, kindsNotYet: readonly string[] = []): { error: z.core.$ZodErrorMap } {
  return {
    error: (issue) => {
      if (issue.code !== 'invalid_union') return undefined;
      const options = Array.isArray(issue['options']) ? issue['options'].map(String) : [];
      const known = options.join(', ');
      const kind = kindOf(issue.input, String(issue['discriminator'] ?? 'kind'));
      if (kind === undefined) return `is needed; one of ${known}`;
      if (kindsNotYet.includes(kind)) return `${kind} is not supported yet`;
      const meant = closest(kind, options);
      return `unknown ${noun} '${kind}'; ${meant === undefined ? '' : `did you mean ${meant}? `}one of ${known}`;
    },
  };
}

/** A block that is one of several kinds. Kinds of linkerd's that are not supported yet are refused by name. */
export function kinds<const Options extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]]>(
  noun: string,
  options: Options,
  kindsNotYet: readonly string[] = [],
) {
  return z.discriminatedUnion('kind', options, kindError(noun, kindsNotYet)).meta({ kindsNotYet });
}

/** Lets a block leave out its kind. */
export function withKind<Schema extends z.ZodType>(fallbackKind: string, schema: Schema) {
  return z
    .preprocess((value) => {
      const kindless = isRecord(value) && value['kind'] === undefined;
      return kindless ? { ...value, kind: fallbackKind } : value;
    }, schema)
    .meta({ fallbackKind });
}

/** A list that may be written as its one item. */
export function oneOrMore<Schema extends z.ZodType>(item: Schema) {
  return z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(item).min(1, 'is an empty list'));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown, discriminator: string): string | undefined {
  const kind = isRecord(value) ? value[discriminator] : undefined;
  if (kind === undefined || kind === null) return undefined;
  // Not `String`: an object may have a `toString` of its own.
  return typeof kind === 'object' ? JSON.stringify(kind) : String(kind);
}

/** What was written, be it `null` (none), or else the default. */
export function orElse<Value>(written: Value | null | undefined, fallback: Value): Value | null {
  return written === undefined ? fallback : written;
}
