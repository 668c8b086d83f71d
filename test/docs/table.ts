/** Tables of Markdown. Columns are padded, so that the formatter leaves them as they are. Pure. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [first = [], ...others] = rows;
  return `${[line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n')}\n`;
}

export const code = (text: string): string => `\`${text}\``;
