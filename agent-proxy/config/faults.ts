/** What is wrong with a document, one line a fault, each with its place and, where it can be guessed, what was meant. */
import type { z } from 'zod';
import { closest } from './closest.ts';
import { type Place, showPlace } from './place.ts';
import { isRecord } from './schema/keys.ts';
import { branchesOf, branchFor, itemsOf, kindOf, propertiesOf, type SchemaNode } from './schema-tree.ts';

/** How many places of a key that stands in the wrong one are named. */
const MAX_PLACES = 3;

export function faultsOf(error: z.ZodError, document: unknown, root: SchemaNode): string[] {
  const lines = error.issues.flatMap((issue) => {
    const place = writtenPlace(issue.path, document);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(place, key, document, root));
    return [`${showPlace(place)}: ${sentence(issue, valueAt(document, place))}`];
  });
  return [...new Set(lines)];
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is needed';
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `is ${nounOf(value)} where ${EXPECTED[issue.expected] ?? issue.expected} is expected`;
  }
  if (issue.code === 'invalid_value') return `is none of ${issue.values.map(String).join(', ')}`;
  return issue.message;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'a block of keys',
  record: 'a block of keys',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

function nounOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a block of keys' : `'${String(value)}'`;
}

/** The schema sees a list of one where its one item was written; the reader wrote no list. */
function writtenPlace(path: readonly PropertyKey[], document: unknown): Place {
  const place: (string | number)[] = [];
  for (const part of path) {
    if (typeof part === 'number') {
      if (Array.isArray(valueAt(document, place))) place.push(part);
    } else {
      place.push(String(part));
    }
  }
  return place;
}

function valueAt(document: unknown, place: Place): unknown {
  let value = document;
  for (const part of place) {
    if (Array.isArray(value)) value = value[Number(part)];
    else value = isRecord(value) ? value[part] : undefined;
  }
  return value;
}

function unknownKey(place: Place, key: string, document: unknown, root: SchemaNode): string {
  const block = blockAt(root, document, place);
  const meant = closest(
    key,
    propertiesOf(block).map(([name]) => name),
  );
  const elsewhere = placesOf(root, key);
  const nearFirst = elsewhere.toSorted((left, right) => distanceTo(left, place) - distanceTo(right, place));
  const hint =
    meant !== undefined
      ? `; did you mean '${meant}'?`
      : nearFirst.length > 0
        ? `; it belongs in ${nearFirst.slice(0, MAX_PLACES).join(' or ')}`
        : '';
  return `${showPlace([...place, key])}: unknown key${hint}`;
}

function blockAt(root: SchemaNode, document: unknown, place: Place): SchemaNode {
  let node = branchFor(root, document);
  let value = document;
  for (const part of place) {
    const child = typeof part === 'number' ? itemsOf(node) : propertiesOf(node).find(([name]) => name === part)?.[1];
    value = valueAt(value, [part]);
    if (child === undefined || child === null) return node;
    node = branchFor(child, value);
  }
  return node;
}

/** The blocks that have this key: `routers[].servers[]`, `routers[].client.loadBalancer (kind ewma)`. */
function placesOf(root: SchemaNode, key: string): string[] {
  const found = new Set<string>();
  const search = (node: SchemaNode, place: string): void => {
    for (const branch of branchesOf(node)) {
      const items = itemsOf(branch);
      if (items !== null) search(items, `${place}[]`);
      const kind = kindOf(branch);
      for (const [name, child] of propertiesOf(branch)) {
        if (name === key)
          found.add(
            `${place === '' ? 'the top level' : place}${kind === undefined || kind === 'http' ? '' : ` (kind ${kind})`}`,
          );
        search(child, place === '' ? name : `${place}.${name}`);
      }
    }
  };
  search(root, '');
  return [...found];
}

/** How many steps lie between two places: a key is most likely meant for a block nearby. */
function distanceTo(shown: string, place: Place): number {
  const there = shown
    .replace(/ \(.*$/, '')
    .replaceAll('[]', '')
    .split('.');
  const here = place.filter((part) => typeof part === 'string');
  let common = 0;
  while (common < there.length && there[common] === here[common]) common += 1;
  return there.length + here.length - 2 * common;
}
