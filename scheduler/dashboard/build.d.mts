/** Where to write the page and how. */
export interface DashboardBuild {
  /** The directory for `index.html`, `app.js` and `app.css`; made if missing. */
  readonly outdir: string;
  /** Small, for people (true, the default), or readable with source maps. */
  readonly minify?: boolean;
  /** The version that the page shows. */
  readonly version: string;
}

/** Bundles the dashboard. Throws esbuild's `BuildFailure` when a source does not parse or resolve. */
export declare function buildDashboard(options: DashboardBuild): Promise<void>;
