/** What the tests of the documents read in a page: headings, links, and blocks of code with their lines. Pure. */

interface Link {
  readonly target: string;
  /** From 1. */
  readonly line: number;
}

interface Block {
  /** What stands behind the fence: `sh`, `console`, or nothing. */
  readonly language: string;
  /** The line of the first line in it, from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

interface Split {
  readonly prose: readonly { readonly text: string; readonly line: number }[];
  readonly blocks: readonly Block[];
}

const FENCE = /^\s*(`{3,}|~{3,})\s*(\S*)/;

/** A page as its prose and its blocks of code. */
export function split(text: string): Split {
  const prose: { text: string; line: number }[] = [];
  const blocks: Block[] = [];
  let open: { fence: string; language: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence = '', language = ''] = FENCE.exec(line) ?? [];
    if (open !== null) {
      if (fence.startsWith(open.fence) && language === '') {
        blocks.push(open);
        open = null;
      } else open.lines.push(line);
    } else if (fence !== '') open = { fence, language, line: index + 2, lines: [] };
    else prose.push({ text: line, line: index + 1 });
  }
  if (open !== null) blocks.push(open);
  return { prose, blocks };
}

/** The anchors that GitHub makes of the headings: of a heading that stands there again it makes `name-1`. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { text: line } of split(text).prose) {
    const [, title] = /^#{1,6}\s+(.+?)\s*#*$/.exec(line) ?? [];
    if (title === undefined) continue;
    const slug = slugOf(title);
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again += 1) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

function slugOf(title: string): string {
  return title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** Links and images of the prose, without those in code. */
export function linksOf(text: string): readonly Link[] {
  return split(text).prose.flatMap(({ text: prose, line }) =>
    [...prose.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target = '']) => ({
      target,
      line,
    })),
  );
}
