/**
 * A table of live rows that can be sorted and filtered. On narrow screens the style sheet turns each row into a card, and
 * a list box takes the place of the headers' sorting.
 */
import { type Signal, useSignal } from '@preact/signals';
import { Component, type ComponentChildren } from 'preact';
import { plural } from '../model/format.ts';
import { type Direction, matches, nextSort, type Sort, type SortValue, sortRows } from '../model/sorting.ts';

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  /** What the column means, for who points at its header. */
  readonly help?: string;
  readonly numeric?: boolean;
  /** The direction of the first click. */
  readonly first: Direction;
  value(row: Row): SortValue;
  cell(row: Row): ComponentChildren;
}

export interface TableProps<Row extends { readonly key: string }> {
  readonly name: string;
  /** One row, for counts: `node`. */
  readonly noun: string;
  /** The first column heads the row. */
  readonly columns: readonly Column<Row>[];
  /** Null until the first answer. */
  readonly rows: readonly Row[] | null;
  readonly filter: Signal<string>;
  readonly initialSort: Sort;
  /** Requests a second at the full length of a bar. */
  readonly rpsScale: number;
  /** What the filter looks at: any words, and words that match from their beginning only. */
  words(row: Row): { readonly words: readonly string[]; readonly states: readonly string[] };
  nameOf(row: Row): string;
  /** The tone of a row that needs a person. */
  toneOf?(row: Row): string;
  /** What to do when there is nothing to show. */
  readonly empty: ComponentChildren;
  /** Whether the rows are old, because the scheduler does not answer. */
  readonly stale: boolean;
  /** A sentence about a row that takes a line of its own: from this column on to the end of the row. */
  readonly note?: Note<Row>;
  /** More about a row, shown below it while it is open. A press anywhere on the row opens and closes it. */
  detail?(row: Row): ComponentChildren;
  /** The keys of the rows that are open. */
  readonly open?: Signal<ReadonlySet<string>>;
}

export interface Note<Row> {
  readonly under: string;
  of(row: Row): string | null;
}

/** Opens a row, or closes it. */
export function toggleRow(open: Signal<ReadonlySet<string>>, key: string): void {
  const next = new Set(open.peek());
  if (!next.delete(key)) next.add(key);
  open.value = next;
}

/** Rows drawn at first, and how many more at each wish for more: a table of thousands stays quick. */
const PAGE = 300;

export function DataTable<Row extends { readonly key: string }>(props: TableProps<Row>) {
  const { name, noun, columns, rows, filter, words, nameOf } = props;
  const sort = useSignal<Sort>(props.initialSort);
  const limit = useSignal(PAGE);
  const sorted = sort.value;
  const column = columns.find(({ id }) => id === sorted.column) ?? columns[0];
  const all = rows ?? [];
  const typed = filter.value;
  const chosen = all.filter((row) => {
    const held = words(row);
    return matches(typed, held.words, held.states);
  });
  const ordered = column === undefined ? chosen : sortRows(chosen, sorted.direction, column.value, nameOf);
  const id = name.toLowerCase();
  return (
    <section class={props.stale ? 'listing stale' : 'listing'} aria-labelledby={`${id}-title`}>
      <div class="listing-head">
        <h2 id={`${id}-title`}>{name}</h2>
        <span class="count" role="status">
          {rows === null
            ? ''
            : chosen.length === all.length
              ? plural(all.length, noun)
              : `${chosen.length} of ${plural(all.length, noun)}`}
        </span>
        <SortBox name={id} columns={columns} sort={sort} />
        <input
          type="search"
          aria-label={`Filter ${id}`}
          placeholder={`Filter ${id}`}
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') filter.value = '';
          }}
        />
      </div>
      <div class="scroller">
        <table aria-labelledby={`${id}-title`} class={`table-${id}`} style={{ '--scale': String(props.rpsScale) }}>
          <thead>
            <tr>
              {columns.map((one) => (
                <th
                  key={one.id}
                  scope="col"
                  class={`col-${one.id}${one.numeric ? ' numeric' : ''}`}
                  aria-sort={sorted.column === one.id ? sorted.direction : 'none'}
                >
                  <button
                    type="button"
                    title={one.help}
                    onClick={() => {
                      sort.value = nextSort(sort.value, one.id, one.first);
                    }}
                  >
                    {one.label}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ordered.slice(0, limit.value).map((row) => (
              <Row
                key={row.key}
                row={row}
                columns={columns}
                tone={props.toneOf?.(row) ?? ''}
                note={props.note}
                detail={props.detail}
                open={props.open}
                isOpen={props.open?.value.has(row.key) ?? false}
              />
            ))}
          </tbody>
        </table>
      </div>
      {ordered.length > limit.value && (
        <button
          type="button"
          class="more"
          onClick={() => {
            limit.value += PAGE;
          }}
        >
          Show {Math.min(PAGE, ordered.length - limit.value)} more of {plural(ordered.length, noun)}
        </button>
      )}
      {rows === null && <p class="empty">Waiting for the scheduler…</p>}
      {rows !== null && all.length === 0 && <div class="empty">{props.empty}</div>}
      {all.length > 0 && chosen.length === 0 && (
        <p class="empty">
          No {noun} matches “{typed}”.{' '}
          <button
            type="button"
            class="link"
            onClick={() => {
              filter.value = '';
            }}
          >
            Show all
          </button>
        </p>
      )}
    </section>
  );
}

interface RowProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly tone: string;
  readonly note: Note<Row> | undefined;
  readonly open: Signal<ReadonlySet<string>> | undefined;
  readonly isOpen: boolean;
  readonly detail: ((row: Row) => ComponentChildren) | undefined;
}

/** One row, drawn again only when it says something else: rows keep their identity while they do not change. */
class Row<R extends { readonly key: string }> extends Component<RowProps<R>> {
  override shouldComponentUpdate(next: RowProps<R>): boolean {
    const { row, tone, isOpen, columns } = this.props;
    return next.row !== row || next.tone !== tone || next.isOpen !== isOpen || next.columns !== columns;
  }

  override render({ row, columns, tone, note, open, isOpen, detail }: RowProps<R>) {
    const remark = note?.of(row) ?? null;
    const before = columns.findIndex(({ id }) => id === note?.under);
    const onClick = (event: MouseEvent) => {
      if (open !== undefined && isMeantForTheRow(event)) toggleRow(open, row.key);
    };
    return (
      <>
        <tr class={open === undefined ? tone : `${tone} opens`.trim()} onClick={open && onClick}>
          {columns.map(({ id, label, numeric, cell }, index) => {
            const look = `col-${id}${numeric ? ' numeric' : ''}`;
            return index === 0 ? (
              <th key={id} scope="row" class={look}>
                {cell(row)}
              </th>
            ) : (
              <td key={id} class={look} data-label={label}>
                {cell(row)}
              </td>
            );
          })}
        </tr>
        {remark !== null && (
          <tr class={`remark ${tone}`.trim()}>
            {before > 0 && <td colSpan={before} />}
            <td class="reason" colSpan={columns.length - Math.max(before, 0)}>
              <span>{remark}</span>
            </td>
          </tr>
        )}
        {isOpen && detail !== undefined && (
          <tr class="detail" id={`detail-${row.key}`}>
            <td colSpan={columns.length}>{detail(row)}</td>
          </tr>
        )}
      </>
    );
  }
}

/** Not when a button in the row was pressed, which acts by itself, and not when words were marked to be copied. */
function isMeantForTheRow(event: MouseEvent): boolean {
  if (event.target instanceof Element && event.target.closest('a, button, input') !== null) return false;
  return getSelection()?.isCollapsed !== false;
}

interface SortBoxProps<R> {
  readonly name: string;
  readonly columns: readonly Column<R>[];
  readonly sort: Signal<Sort>;
}

/** Sorting where there are no headers to click on. */
function SortBox<R>({ name, columns, sort }: SortBoxProps<R>) {
  return (
    <select
      class="sort-box"
      aria-label={`Sort ${name}`}
      value={sort.value.column}
      onChange={(event) => {
        const column = columns.find(({ id }) => id === event.currentTarget.value);
        if (column !== undefined) sort.value = { column: column.id, direction: column.first };
      }}
    >
      {columns.map(({ id, label }) => (
        <option key={id} value={id}>
          by {label}
        </option>
      ))}
    </select>
  );
}
