/**
 * The schema as a tree that can be walked beside a document: what is known at a place, and what is said about it. It is
 * the JSON Schema that zod makes of our schema, with the notes of `schema/keys.ts`. Needed for hints, warnings and the
 * reference, never for a request.
 */
import { z } from 'zod';
import type { Place } from './place.ts';
import { isRecord, type KeyNotes } from './schema/keys.ts';
import { linkerd } from './schema/linkerd.ts';

export type SchemaNode = z.core.JSONSchema.BaseSchema & KeyNotes;

/** Made once: a scheduler checks again and again, and it takes a tenth of a second. */
let made: SchemaNode | null = null;

export function schemaTree(): SchemaNode {
  made ??= z.toJSONSchema(linkerd, { io: 'input', unrepresentable: 'any' });
  return made;
}

/** The alternatives of a block (its kinds), or the block itself. */
export function branchesOf(node: SchemaNode): readonly SchemaNode[] {
  const branches = [...(node.oneOf ?? []), ...(node.anyOf ?? [])].filter((branch) => branch.type !== 'null');
  return branches.length === 0 ? [node] : branches.flatMap(branchesOf);
}

export function propertiesOf(node: SchemaNode): readonly (readonly [string, SchemaNode])[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    typeof child === 'boolean' ? [] : [[key, child] as const],
  );
}

/** The node of a list's items; null where the node is no list. */
export function itemsOf(node: SchemaNode): SchemaNode | null {
  return isRecord(node.items) ? node.items : null;
}

/** The kind that a branch is for: `io.l5d.static`; of a router, its protocol. */
export function kindOf(branch: SchemaNode): string | undefined {
  for (const key of ['kind', 'protocol']) {
    const constant = propertiesOf(branch).find(([name]) => name === key)?.[1].const;
    if (typeof constant === 'string') return constant;
  }
  return undefined;
}

/** The alternative that speaks for a value. Where a list may be written as its one item, that of the item. */
export function branchFor(node: SchemaNode, value: unknown): SchemaNode {
  const items = itemsOf(node);
  if (items !== null && isRecord(value)) return branchFor(items, value);
  const branches = branchesOf(node);
  if (!isRecord(value)) return branches.find(({ type }) => (type === 'array') === Array.isArray(value)) ?? node;
  const kind = value['kind'] ?? value['protocol'] ?? node.fallbackKind;
  return (
    branches.find((branch) => kindOf(branch) === kind) ??
    branches.find((branch) => kindOf(branch) === undefined) ??
    node
  );
}

/** A key that stands in a document, with its node. */
export interface WrittenKey {
  readonly place: Place;
  readonly node: SchemaNode;
  readonly value: unknown;
}

/** All keys of a document that the schema knows, from the outside in. */
export function* writtenKeys(node: SchemaNode, value: unknown, place: Place = []): Generator<WrittenKey> {
  const branch = branchFor(node, value);
  if (Array.isArray(value)) {
    const items = itemsOf(branch);
    if (items === null) return;
    for (const [index, item] of value.entries()) yield* writtenKeys(items, item, [...place, index]);
  } else if (isRecord(value)) {
    for (const [key, child] of propertiesOf(branch)) {
      if (!Object.hasOwn(value, key)) continue;
      yield { place: [...place, key], node: child, value: value[key] };
      yield* writtenKeys(child, value[key], [...place, key]);
    }
  }
}

/** As linkerd reads it: a key without a value is a key that is not there, unless `null` means something for it. */
export function withoutEmptyKeys(node: SchemaNode, value: unknown): unknown {
  const branch = branchFor(node, value);
  if (Array.isArray(value)) {
    const items = itemsOf(branch);
    return items === null ? value : value.map((item) => withoutEmptyKeys(items, item));
  }
  if (!isRecord(value)) return value;
  const known = new Map(propertiesOf(branch));
  const kept = Object.entries(value).filter(([key, own]) => {
    const child = known.get(key);
    return own !== null || child === undefined || allowsNull(child);
  });
  return Object.fromEntries(
    kept.map(([key, own]) => {
      const child = known.get(key);
      return [key, child === undefined ? own : withoutEmptyKeys(child, own)];
    }),
  );
}

function allowsNull(node: SchemaNode): boolean {
  if (node.type === 'null') return true;
  return (
    [...(node.anyOf ?? []), ...(node.oneOf ?? [])].some(allowsNull) ||
    (Array.isArray(node.type) && node.type.includes('null'))
  );
}
