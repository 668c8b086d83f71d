/** The namers of a configuration, in its order. */
import { clientTlsParams } from '../config/client-tls-params.ts';
import type { NamerConfig } from '../config/schema/linkerd.ts';
import type { Namer } from '../routing/names.ts';
import { type Path, readPath, showPath } from '../routing/path.ts';
import { type Transformer, transformNamer } from '../routing/transformers.ts';
import type { DirectoryWatches } from './directory-watches.ts';
import { FsNamer } from './fs.ts';
import { type MarathonCredentials, type MarathonNeeds, makeMarathonNamer } from './make-marathon.ts';
import { RewriteNamer } from './rewrite.ts';

export interface NamerNeeds extends MarathonNeeds {
  readonly watches: DirectoryWatches;
  readonly credentials: MarathonCredentials;
  readonly transformersOf: (config: NamerConfig['transformers']) => readonly Transformer[];
}

export interface MadeNamers {
  readonly namers: readonly Namer[];
  /** The bound names that namers can list, as paths: those of io.l5d.fs. */
  boundNames(): Promise<readonly string[]>;
  /** What the namer of this prefix knows, as plain JSON for people; null where there is none. */
  state(prefix: string): unknown;
  /** Ends what goes on beside observers. */
  close(): void;
}

interface MadeNamer {
  readonly namer: Namer;
  readonly describe: () => object;
  readonly names?: () => Promise<readonly Path[]>;
  readonly close?: () => void;
}

/** @throws an Error for what cannot work, whatever may come: a bad credential, a bad pattern. */
export function makeNamers(configs: readonly NamerConfig[], needs: NamerNeeds): MadeNamers {
  const made = configs.map((config) => makeNamer(config, needs));
  return {
    namers: made.map(({ namer }, index) =>
      transformNamer(namer, needs.transformersOf(configs[index]?.transformers ?? [])),
    ),
    boundNames: async () => {
      const lists = made.map(async ({ namer, names }) =>
        ((await names?.()) ?? []).map((name) => showPath(['#', ...namer.prefix, ...name])),
      );
      return (await Promise.all(lists)).flat();
    },
    state: (prefix) => {
      // Of two with one prefix the later one is asked first.
      const index = made.findLastIndex(({ namer }) => showPath(namer.prefix) === `/${prefix}`);
      const kind = configs[index]?.kind;
      return kind === undefined ? null : { kind, ...made[index]?.describe() };
    },
    close: () => {
      for (const { close } of made) close?.();
    },
  };
}

function makeNamer(config: NamerConfig, needs: NamerNeeds): MadeNamer {
  const prefix = readPath(config.prefix);
  switch (config.kind) {
    case 'io.l5d.fs': {
      const { inet, watches, warn } = needs;
      const namer = new FsNamer({ prefix, rootDir: config.rootDir, inet, watches, warn });
      return { namer, names: () => namer.names(), describe: () => namer.describe() };
    }
    case 'io.l5d.rewrite': {
      const { pattern, name } = config;
      return { namer: new RewriteNamer(prefix, pattern, name), describe: () => ({ pattern, name }) };
    }
    case 'io.l5d.marathon': {
      const { host, port, uriPrefix, ttlMs, jitterMs, useHealthCheck, tls, nodemesh } = config;
      const { shortestPrefix } = nodemesh;
      const tlsParams = tls === undefined ? null : clientTlsParams(tls);
      const common = { prefix, host, port, uriPrefix, ttlMs, jitterMs, useHealthCheck, shortestPrefix };
      return makeMarathonNamer({ ...common, tls: tlsParams }, needs.credentials, needs);
    }
  }
}
