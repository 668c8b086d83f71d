/** A small live chart of the last minutes. What it shows stands in words beside it; pointing at it reads off a moment. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatAge, formatClock, roundUp } from '../model/format.ts';
import { line, type Point, windowMs } from '../model/history.ts';
import type { MeshTraffic } from '../model/summary.ts';
import type { Store } from '../store.ts';

interface ChartProps {
  readonly store: Store;
  readonly label: string;
  readonly series: readonly ChartSeries[];
  format(value: number | null | undefined): string;
  /** Where the value axis begins: at zero, or just under the lowest rate with 1 on top. */
  readonly floor: 'zero' | 'near-one';
}

interface ChartSeries {
  readonly label: string;
  readonly tone: 'accent' | 'good' | 'muted';
  figure(at: MeshTraffic): number | null;
}

const HEIGHT = 72;
const AXIS_WIDTH = 46;

export function Chart({ store, label, series, format, floor }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const pointed = useSignal<number | null>(null);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    let plot: uPlot | null = null;

    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(element), data(store.history.peek(), series), element);
    };
    const options = (on: HTMLElement): uPlot.Options => {
      const style = getComputedStyle(on);
      const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
      return {
        width: Math.max(on.clientWidth, 80),
        height: HEIGHT,
        padding: [6, 4, 6, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { time: true, range: () => timeRange(store.history.peek()) },
          y: { range: (_plot, min, max) => valueRange(floor, min, max) },
        },
        axes: [
          { show: false },
          {
            size: AXIS_WIDTH,
            gap: 4,
            font: `10px ${style.fontFamily}`,
            stroke: colour('muted'),
            grid: { stroke: colour('line'), width: 1 },
            ticks: { show: false },
            splits: (_plot, _axis, min, max) => (floor === 'zero' ? [min, max] : [min, 1]),
            values: (_plot, splits) => splits.map((value) => format(value)),
          },
        ],
        series: [
          {},
          ...series.map(
            ({ tone }, index): uPlot.Series => ({
              stroke: colour(tone),
              width: 1.5,
              spanGaps: false,
              points: { show: false },
              ...(index === 0 && floor === 'zero' ? { fill: `${colour(tone)}1f` } : {}),
            }),
          ),
        ],
        hooks: {
          setCursor: [
            (self) => {
              pointed.value = self.cursor.idx ?? null;
            },
          ],
        },
      };
    };

    draw();
    const sizes = new ResizeObserver(() => plot?.setSize({ width: Math.max(element.clientWidth, 80), height: HEIGHT }));
    sizes.observe(element);
    scheme.addEventListener('change', draw);
    const stop = store.history.subscribe((history) => plot?.setData(data(history, series)));
    let wasStale = store.stale.traffic.peek();
    const stopStale = store.stale.traffic.subscribe((stale) => {
      // The tile's colours change with the class that it gets when it is drawn next.
      if (stale !== wasStale) requestAnimationFrame(() => plot !== null && draw());
      wasStale = stale;
    });
    return () => {
      stop();
      stopStale();
      scheme.removeEventListener('change', draw);
      sizes.disconnect();
      plot?.destroy();
      plot = null;
    };
    // What is drawn never changes after the first time: only the data does, and comes by its signal.
  }, []);

  const span = windowMs(store.history.value);
  const end = store.history.value.at(-1)?.at ?? 0;
  const point = pointed.value === null ? undefined : store.history.value[pointed.value];
  return (
    <figure>
      <div ref={place} class="plot" role="img" aria-label={`${label} over the last minutes`} />
      <figcaption>
        {point?.traffic ? (
          <>
            <span>{formatClock(point.at)}</span>
            <span>
              {series
                .map(({ label: name, figure }) => `${name} ${format(point.traffic && figure(point.traffic))}`)
                .join(', ')}
            </span>
          </>
        ) : (
          <>
            <span>{store.stale.traffic.value ? formatClock(end - span) : `${formatAge(span)} ago`}</span>
            <span>{store.stale.traffic.value ? formatClock(end) : 'now'}</span>
          </>
        )}
      </figcaption>
    </figure>
  );
}

function data(history: readonly Point[], series: readonly ChartSeries[]): uPlot.AlignedData {
  return [history.map(({ at }) => at / 1_000), ...series.map(({ figure }) => line(history, figure))];
}

function timeRange(history: readonly Point[]): [number, number] {
  const end = history.at(-1)?.at ?? 0;
  return [(end - windowMs(history)) / 1_000, end / 1_000];
}

/** Round numbers around the values, so that the axis does not tremble with each of them. */
function valueRange(floor: ChartProps['floor'], min: number | null, max: number | null): [number, number] {
  if (floor === 'near-one') {
    const lowest = min ?? 1;
    const bottom = [0.99, 0.95, 0.9, 0.75, 0.5].find((step) => lowest >= step) ?? 0;
    // A little room over 1, so that a perfect line is not cut in half by the edge.
    return [bottom, 1 + (1 - bottom) * 0.08];
  }
  return [0, roundUp(max ?? 0)];
}
