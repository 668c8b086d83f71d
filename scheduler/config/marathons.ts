/** Which Marathons there are: what the option `marathon` looks like, and what becomes of it. */
import { z } from 'zod';
import type { ServiceAccount } from '../../framework/mesos-http-client/auth/credential.ts';
import { basicCredentialFile, certificatesFile, serviceAccountFile } from './files.ts';
import { baseUrl, httpUrl, textual } from './values.ts';

/** The namer of the first Marathon, whose apps have bare names. */
export const FIRST_PREFIX = 'io.l5d.marathon';

export interface MarathonConfig {
  /** Its namer: apps are found under `/#/<prefix>`. */
  readonly prefix: string;
  readonly url: string;
  /** Where its apps are found in the dtab, as a path. Null: where those of the others are, behind them. */
  readonly place: string | null;
  /** Null: that of all. */
  readonly login: MarathonLogin | null;
  /** Certificates in PEM form that alone are trusted. Null: those of all. */
  readonly ca: string | null;
}

export type MarathonLogin =
  | { readonly kind: 'none' }
  /** `user:password` in base64. */
  | { readonly kind: 'basic'; readonly credential: string }
  | { readonly kind: 'service-account'; readonly account: ServiceAccount };

const prefix = z
  .string('must be text')
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 of A-Z a-z 0-9 . _ -')
  .refine((given) => !given.startsWith('io.nodemesh.'), 'must not begin with io.nodemesh., which is the mesh');

/** `http://m:8080` or `eu=http://m:8080`. */
const written = textual((text): Written => {
  const [, name, url = text] = /^([^=/:]+)=(.*)$/.exec(text) ?? [];
  return { url: httpUrl(url, 'http://10.0.0.1:8080'), prefix: name === undefined ? undefined : parsed(prefix, name) };
});

interface Written {
  readonly url: string;
  readonly prefix?: string | undefined;
  readonly place?: string | undefined;
  readonly login?: 'none' | undefined;
  readonly credentialFile?: string | undefined;
  readonly serviceAccountFile?: ServiceAccount | undefined;
  readonly caFile?: string | undefined;
}

const NEITHER = 'must be a URL, or a block with one';

const block = z.preprocess(
  camelKeys,
  z.strictObject(
    {
      url: baseUrl,
      prefix: prefix.optional(),
      place: z
        .string('must be text')
        .regex(/^(\/[A-Za-z0-9_.:%-]+)+$/, 'must be a path of the dtab, as in /eu')
        .optional(),
      login: z.literal('none', 'can only be none: no login, whatever the other options say').optional(),
      credentialFile: basicCredentialFile.optional(),
      serviceAccountFile: serviceAccountFile.optional(),
      caFile: certificatesFile.optional(),
    },
    { error: ({ code }) => (code === 'invalid_type' ? NEITHER : undefined) },
  ),
);

/** Text, or in a file also blocks. */
export const marathons = z
  .array(z.union([written, block], { error: firstFault }))
  .nonempty('is missing')
  .transform((all, context): readonly [MarathonConfig, ...MarathonConfig[]] => {
    const fault = (index: number, message: string): void => {
      context.addIssue({ code: 'custom', message, path: [String(index)] });
    };
    const read = all.map((each, index): MarathonConfig => {
      const logins = [each.login, each.credentialFile, each.serviceAccountFile].filter((login) => login !== undefined);
      if (logins.length > 1) fault(index, 'has more than one of login, credential-file and service-account-file');
      if (index > 0 && each.prefix === undefined) fault(index, `needs a prefix, as in eu=${each.url}`);
      const { url, place, caFile } = each;
      return {
        ...{ url, prefix: each.prefix ?? FIRST_PREFIX, place: place ?? null, login: loginOf(each), ca: caFile ?? null },
      };
    });
    // One that is missing has been told of.
    const prefixes = all.map((each, index) => (index === 0 ? FIRST_PREFIX : (each.prefix ?? `${index}`)));
    for (const [index, each] of prefixes.entries()) {
      if (prefixes.indexOf(each) < index) fault(index, `the prefix ${each} is that of another Marathon`);
    }
    const [first, ...others] = read;
    return first === undefined ? z.NEVER : [first, ...others];
  });

/**
 * Where the apps of each Marathon are found in a dtab. What stands last goes first: the first Marathon's apps hide those
 * of the same id in the others, unless these have a place of their own.
 */
export function marathonDentries(all: readonly MarathonConfig[]): string {
  const dentries = all.map(({ prefix, place }, index) => {
    const namer = index === 0 ? FIRST_PREFIX : prefix;
    return `${place ?? '/marathonId'} => /#/${namer}`;
  });
  return dentries.reverse().join(' ; ');
}

function loginOf({ login, credentialFile, serviceAccountFile }: Written): MarathonLogin | null {
  if (login === 'none') return { kind: 'none' };
  if (credentialFile !== undefined) return { kind: 'basic', credential: credentialFile };
  if (serviceAccountFile !== undefined) return { kind: 'service-account', account: serviceAccountFile };
  return null;
}

/** @throws with the fault alone */
function parsed<T>(schema: z.ZodType<T>, given: string): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  throw new Error(`'${given}' ${error.issues[0]?.message ?? 'is not right'}`);
}

/** Keys in either spelling, as elsewhere in the file. */
function camelKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase()), each]),
  );
}

/** Of the two ways to write it, the fault of the one that was tried. */
function firstFault(issue: {
  readonly input?: unknown;
  readonly errors?: readonly (readonly z.core.$ZodIssue[])[];
}): string {
  const [asText, asBlock] = issue.errors ?? [];
  const fault = (typeof issue.input === 'string' ? asText : asBlock)?.[0];
  if (fault === undefined) return NEITHER;
  return fault.path.length === 0 ? fault.message : `${fault.path.join('.')} ${fault.message}`;
}
