/** Where to write the page and how. */
export interface DashboardBuild {
  /** The directory for `index.html`, `app.js` and `app.css`; made if missing. */
  readonly outdir: string;
  /** Small, for people (true, the default), or readable with source maps. */
  readonly minify?: boolean;
  /** The version that the page shows. */
  readonly version: string;
}

/** For each file of the page, what it was made of: as in esbuild's metafile, with paths from the root of the checkout. */
export type DashboardOutputs = Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;

/** Bundles the dashboard. Throws esbuild's `BuildFailure` when a source does not parse or resolve. */
export declare function buildDashboard(options: DashboardBuild): Promise<DashboardOutputs>;
