/** io.l5d.rewrite: names made of parts of other names, by a pattern. What it answers never changes. */
import { type Activity, constant } from '../routing/activity.ts';
import type { NameTree } from '../routing/name-tree.ts';
import type { Namer, NamerLeaf } from '../routing/names.ts';
import type { Path } from '../routing/path.ts';
import { Rewrite } from '../routing/rewrite.ts';

export class RewriteNamer implements Namer {
  readonly prefix: Path;
  private readonly rewrite: Rewrite;

  /** @throws {DtabError} for a bad pattern or name; an Error for a name with a variable that nothing captures. */
  constructor(prefix: Path, pattern: string, name: string) {
    this.prefix = prefix;
    this.rewrite = new Rewrite(pattern, name);
  }

  lookup(rest: Path): Activity<NameTree<NamerLeaf>> {
    return constant(this.rewrite.lookup(rest));
  }
}
