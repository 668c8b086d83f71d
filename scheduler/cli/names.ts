/** `nodemesh bind` and `nodemesh delegate`: where a name leads, and how it gets there. */
import * as z from 'zod/mini';
import { getJson } from './http.ts';
import { newCommand, type SchedulerOption, schedulerOption } from './options.ts';
import { QuietEnd } from './outcome.ts';
import type { Screen } from './screen.ts';
import { printable } from './table.ts';

/** Instances that are named in a line; all are in the answer of `--json`. */
const SHOWN = 5;

const addressesSchema = z.object({
  type: z.string(),
  cause: z.optional(z.string()),
  addrs: z.optional(z.array(z.object({ ip: z.string(), port: z.number() }))),
});
const boundSchema = z.object({ id: z.string(), path: z.string(), addr: addressesSchema });

/** A node of a bound tree or of a delegation: what they have in common with what only the second has. */
interface Node {
  readonly type: string;
  readonly path?: string | undefined;
  readonly dentry?: { readonly prefix: string; readonly dst: string } | undefined;
  readonly message?: string | undefined;
  readonly name?: string | undefined;
  readonly bound?: z.infer<typeof boundSchema> | undefined;
  readonly delegate?: Node | undefined;
  readonly tree?: Node | undefined;
  readonly alt?: readonly Node[] | undefined;
  readonly union?: readonly { readonly weight: number; readonly tree: Node }[] | undefined;
}

const nodeSchema: z.ZodMiniType<Node> = z.object({
  type: z.string(),
  path: z.optional(z.string()),
  dentry: z.optional(z.object({ prefix: z.string(), dst: z.string() })),
  message: z.optional(z.string()),
  name: z.optional(z.string()),
  bound: z.optional(boundSchema),
  delegate: z.optional(z.lazy(() => nodeSchema)),
  tree: z.optional(z.lazy(() => nodeSchema)),
  alt: z.optional(z.array(z.lazy(() => nodeSchema))),
  union: z.optional(z.array(z.object({ weight: z.number(), tree: z.lazy(() => nodeSchema) }))),
});

interface Options extends SchedulerOption {
  readonly namespace: string;
  readonly dtab?: string;
  readonly json?: true;
}

export async function bind(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const summary = 'Say which instances a name leads to. The exit code is 1 where it leads nowhere.';
  await look('bind', summary, args, version, screen);
}

export async function delegate(args: readonly string[], version: string, screen: Screen): Promise<void> {
  const summary = 'Show step by step how a name is rewritten, also the branches that are not taken.';
  await look('delegate', summary, args, version, screen);
}

async function look(
  what: 'bind' | 'delegate',
  summary: string,
  args: readonly string[],
  version: string,
  screen: Screen,
): Promise<void> {
  const command = newCommand(`nodemesh ${what}`, summary, version)
    .argument('<name>', 'a path like /svc/web, or a host name')
    .option('--namespace <name>', 'the namespace whose dtab counts', 'default')
    .option('--dtab <dtab>', 'rules that go before those of the namespace, as l5d-dtab has them')
    .option('--json', "print the scheduler's answer as it is, for programs")
    .addOption(schedulerOption());
  command.parse([...args], { from: 'user' });
  const [name = ''] = command.args;
  const { scheduler, namespace, dtab, json } = command.opts<Options>();
  const path = name.startsWith('/') ? name : `/svc/${name}`;
  const query = new URLSearchParams({ path, ...(dtab === undefined ? {} : { dtab }) });
  const { value, raw } = await getJson(
    scheduler,
    `api/1/${what}/${encodeURIComponent(namespace)}?${query}`,
    nodeSchema,
  );
  if (json) screen.write(`${JSON.stringify(raw, null, 2)}\n`);
  else
    screen.write(
      `${what === 'bind' ? [path, ...treeLines(value, 1, screen)].join('\n') : treeLines(value, 0, screen).join('\n')}\n`,
    );
  if (what === 'bind' && !['leaf', 'union'].includes(value.type)) throw new QuietEnd(1);
}

function treeLines(node: Node, depth: number, screen: Screen, share = ''): string[] {
  const indent = '  '.repeat(depth);
  const rule =
    node.dentry === undefined
      ? ''
      : screen.paint('quiet', `  (${printable(`${node.dentry.prefix} => ${node.dentry.dst}`)})`);
  const head = `${indent}${share}${node.path === undefined ? '' : printable(node.path)}`;
  const below = (child: Node, childShare = ''): string[] => treeLines(child, depth + 1, screen, childShare);
  switch (node.type) {
    case 'leaf':
      return [
        ...(node.path === undefined ? [] : [`${head}${rule}`]),
        ...boundLines(node, node.path === undefined ? head : `${indent}  `, screen),
      ];
    case 'delegate':
      return [`${head}${rule}`, ...(node.delegate === undefined ? [] : below(node.delegate))];
    case 'alt':
      return [`${head}${rule}  first of`, ...(node.alt ?? []).flatMap((child) => below(child))];
    case 'union':
      return [`${head}${rule}  split`, ...shares(node).flatMap(([text, child]) => below(child, text))];
    case 'transformation':
      return [`${head}  ${printable(node.name ?? '')}`, ...(node.tree === undefined ? [] : below(node.tree))];
    case 'exception':
      return [`${head}${rule}  ${screen.paint('bad', printable(node.message ?? 'failed'))}`];
    default:
      return [`${head}${rule}  ${screen.paint('busy', WORDS[node.type] ?? printable(node.type))}`];
  }
}

const WORDS: Readonly<Record<string, string>> = {
  neg: 'no such name',
  fail: 'refused (!)',
  empty: 'leads to nothing ($)',
};

function shares({ union = [] }: Node): [string, Node][] {
  const all = union.reduce((sum, { weight }) => sum + weight, 0);
  return union.map(({ weight, tree }) => {
    const share = all > 0 ? weight / all : 1 / union.length;
    return [`${Number((share * 100).toFixed(2))} %  `, tree];
  });
}

function boundLines({ bound }: Node, head: string, screen: Screen): string[] {
  if (bound === undefined) return [];
  const { id, path, addr } = bound;
  const residual = path === '/' ? '' : `  (the rest is ${printable(path)})`;
  if (addr.type !== 'bound') {
    return [`${head}${printable(id)}${residual}  ${screen.paint('bad', printable(addr.cause ?? addr.type))}`];
  }
  const addrs = addr.addrs ?? [];
  const named = addrs.slice(0, SHOWN).map(({ ip, port }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`);
  const more = addrs.length > SHOWN ? `, and ${addrs.length - SHOWN} more` : '';
  const shown = addrs.length === 0 ? screen.paint('bad', 'no instance') : `${printable(named.join(', '))}${more}`;
  return [`${head}${screen.paint('good', printable(id))}${residual}  ${shown}`];
}
