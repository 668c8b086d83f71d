/** The identifiers of a router, put together once from its configuration. */
import { headerPath } from './header.ts';
import { headerToken } from './header-token.ts';
import { Findings, type Identify, type IdentifyHead, type Unnamed } from './identifier.ts';
import { methodAndHost } from './method-and-host.ts';
import { pathSegments } from './path.ts';
import { staticName } from './static.ts';

/** One entry of `identifier:`, as the configuration gives it after its check. */
export type IdentifierConfig =
  | { readonly kind: 'io.l5d.header.token'; readonly header: string }
  | { readonly kind: 'io.l5d.header'; readonly header: string }
  | { readonly kind: 'io.l5d.path'; readonly segments: number; readonly consume: boolean }
  | { readonly kind: 'io.l5d.methodAndHost'; readonly httpUriInDst: boolean }
  | { readonly kind: 'io.l5d.static'; readonly path: string };

const NO_IDENTIFIER: Unnamed = { kind: 'unidentified', reason: 'the router has no identifier' };

/**
 * Asks one identifier after the other until one knows a name. What it found besides is to be read before the next request
 * is asked about.
 */
export class Identifiers {
  private readonly list: readonly Identify[];
  private readonly findings = new Findings();

  constructor(configs: readonly IdentifierConfig[]) {
    this.list = configs.map(identifierOf);
  }

  /** The key of the logical name, or null: {@link unnamed} says why. */
  identify(head: IdentifyHead): string | null {
    const { list, findings } = this;
    findings.clear();
    for (let index = 0; index < list.length; index += 1) {
      const key = list[index]?.(head, findings) ?? null;
      if (key !== null) return key;
      if (findings.unnamed?.kind === 'malformed') return null;
    }
    return null;
  }

  /** The target that upstream is to see, where it is another than the request's. */
  get target(): string | null {
    return this.findings.target;
  }

  /** Why the last head had no name: the last identifier's reason. */
  get unnamed(): Unnamed {
    return this.findings.unnamed ?? NO_IDENTIFIER;
  }
}

function identifierOf(config: IdentifierConfig): Identify {
  switch (config.kind) {
    case 'io.l5d.header.token':
      return headerToken(config.header);
    case 'io.l5d.header':
      return headerPath(config.header);
    case 'io.l5d.path':
      return pathSegments(config.segments, config.consume);
    case 'io.l5d.methodAndHost':
      return methodAndHost(config.httpUriInDst);
    case 'io.l5d.static':
      return staticName(config.path);
  }
}
