/** The few pages for people: plain HTML, everything in it escaped. */
import type { RecentRow } from '../telemetry/recent-requests.ts';

/** A page that the index lists. */
export interface Listed {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly summary: string;
}

export function indexPage(listed: readonly Listed[]): string {
  const rows = listed.map(({ path, method, summary }) => {
    const shown = method === 'GET' ? `<a href="${escapeHtml(path)}">${escapeHtml(path)}</a>` : escapeHtml(path);
    return `<tr><td>${method}</td><td>${shown}</td><td>${escapeHtml(summary)}</td></tr>`;
  });
  return page('nodemesh proxy', `<table>\n${rows.join('\n')}\n</table>`);
}

const COLUMNS = [
  'time',
  'source',
  'server',
  'router',
  'logical',
  'concrete',
  'destination',
  'status',
  'reason',
] as const;

export function recentRequestsPage(requests: readonly RecentRow[]): string {
  const head = COLUMNS.map((column) => `<th>${column}</th>`).join('');
  const rows = requests.map(
    (row) => `<tr>${COLUMNS.map((column) => `<td>${escapeHtml(row[column])}</td>`).join('')}</tr>`,
  );
  return page('Recent requests', `<table>\n<tr>${head}</tr>\n${rows.join('\n')}\n</table>`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>${title}</title>
<style>body { font: 14px monospace; margin: 2em } td, th { padding: 0 1.5em 0.3em 0; text-align: left }</style>
<h1>${title}</h1>
${body}
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
