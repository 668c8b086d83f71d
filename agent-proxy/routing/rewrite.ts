/**
 * The pure part of the namer `io.l5d.rewrite`: a path that matches `pattern` becomes `name` with what was captured, and
 * the rest of the path behind it.
 */
import { leaf, type NameTree, NEG } from './name-tree.ts';
import type { NamerLeaf } from './names.ts';
import type { Path } from './path.ts';
import { PathMatcher, PathTemplate } from './path-matcher.ts';

export class Rewrite {
  private readonly matcher: PathMatcher;
  private readonly template: PathTemplate;

  /** Throws `DtabError` for a bad pattern or name, and an Error for a name with a variable that nothing captures. */
  constructor(pattern: string, name: string) {
    this.matcher = new PathMatcher(pattern);
    this.template = new PathTemplate(name);
    const unknown = [...this.template.variables].find((variable) => !this.matcher.variables.has(variable));
    if (unknown !== undefined) {
      throw new Error(`the name ${name} uses {${unknown}}, which the pattern ${pattern} does not capture`);
    }
  }

  /** `rest` is what follows the namer's prefix. */
  lookup(rest: Path): NameTree<NamerLeaf> {
    const match = this.matcher.match(rest);
    const name = match === null ? null : this.template.fill(match.captures);
    if (match === null || name === null) return NEG;
    return leaf({ kind: 'path', path: [...name, ...match.suffix] });
  }
}
