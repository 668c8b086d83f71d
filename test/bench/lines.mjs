/** What nodemesh promises about its speed and size, as data, and whether the figures keep it. Pure. */

/** @typedef {import('./types.ts').Row} Row */
/** @typedef {'rps' | 'cpuUs' | 'p99Ms' | 'memMb'} Column */

/**
 * @typedef {object} Verdict
 * @property {string} line
 * @property {number | null} measured null: not measured in this run
 * @property {number | null} limit
 * @property {'×' | 'ms' | 'MB' | '%'} unit
 * @property {boolean | null} holds
 */

/** Where the figures of a run are found. */
class Figures {
  /** @param {import('./types.ts').Outcome} outcome of all scenarios */
  constructor({ rows, figures }) {
    /** @readonly */
    this.rows = rows;
    /** @readonly */
    this.figures = figures;
  }

  /**
   * @param {string} scenario
   * @param {string} proxy
   * @param {Column} column
   */
  value(scenario, proxy, column) {
    return this.row(scenario, proxy)?.[column] ?? null;
  }

  /**
   * @param {string} scenario
   * @param {string} proxy
   */
  cpuRatio(scenario, proxy) {
    return this.row(scenario, proxy)?.ratio.cpu ?? null;
  }

  /** @param {string} name */
  figure(name) {
    return this.figures[name] ?? null;
  }

  /**
   * @param {string} scenario
   * @param {string} proxy
   */
  row(scenario, proxy) {
    return this.rows.find((row) => row.scenario === scenario && row.proxy === proxy);
  }
}

const FORMS = ['nodemesh', 'nodemesh-features'];

/** @type {readonly ((figures: Figures) => Omit<Verdict, 'holds'>)[]} */
const LINES = [
  (of) => ({
    line: "CPU a request, 64 connections, by Host and dtab alone, to bare HAProxy's",
    measured: of.cpuRatio('keepalive-64', 'nodemesh'),
    limit: 1.2,
    unit: '×',
  }),
  (of) => ({
    line: 'CPU a request, 64 connections, all features, to that of HAProxy with the same',
    measured: of.cpuRatio('keepalive-64', 'nodemesh-features'),
    limit: 1.35,
    unit: '×',
  }),
  ...FORMS.map((form) => (/** @type {Figures} */ of) => ({
    line: `CPU a request, 64 connections, ${form}, to the bare node:http proxy's`,
    measured: divide(of.value('keepalive-64', form, 'cpuUs'), of.value('keepalive-64', 'node-http', 'cpuUs')),
    limit: 0.45,
    unit: /** @type {const} */ ('×'),
  })),
  ...FORMS.map((form) => (/** @type {Figures} */ of) => ({
    line: `p99 at half of HAProxy's highest rate, ${form}: 1.5 × HAProxy's or 1 ms more`,
    measured: of.value('p99-half-rate', form, 'p99Ms'),
    limit: upTo(of.value('p99-half-rate', 'haproxy', 'p99Ms'), (p99) => Math.max(1.5 * p99, p99 + 1)),
    unit: /** @type {const} */ ('ms'),
  })),
  ...FORMS.map((form) => (/** @type {Figures} */ of) => ({
    line: `memory with 1,000 services of 5 endpoints and 1,000 connections, ${form}`,
    measured: of.value('memory-services', form, 'memMb'),
    limit: 100,
    unit: /** @type {const} */ ('MB'),
  })),
  (of) => ({
    line: 'memory, the last minute of a soak above its third',
    measured: minus(memory(of, 'soak-last-minute'), memory(of, 'soak-minute-3')),
    limit: 5,
    unit: 'MB',
  }),
  (of) => ({
    line: 'memory, after a million distinct Hosts',
    measured: minus(memory(of, 'soak-after-distinct-hosts'), memory(of, 'soak-last-minute')),
    limit: 10,
    unit: 'MB',
  }),
  ...FORMS.map((form) => (/** @type {Figures} */ of) => ({
    line: `CPU a request, 1,000 services to one, ${form}`,
    measured: divide(of.value('services-1000', form, 'cpuUs'), of.value('services-1', form, 'cpuUs')),
    limit: 1.1,
    unit: /** @type {const} */ ('×'),
  })),
  (of) => ({
    line: 'requests that EWMA sends to the slow one of five instances',
    measured: upTo(of.figure('ewma-slow/nodemesh-features/share'), (share) => share * 100),
    limit: 4,
    unit: '%',
  }),
  (of) => ({
    line: "p99 with one slow instance of five, EWMA's to round robin's",
    measured: divide(
      of.value('ewma-slow', 'nodemesh-features', 'p99Ms'),
      of.value('ewma-slow', 'nodemesh-round-robin', 'p99Ms'),
    ),
    limit: 0.5,
    unit: '×',
  }),
  ...['scrape', 'table-update'].map((by) => (/** @type {Figures} */ of) => ({
    line: `p99 during a ${by.replace('-', ' ')}: 1.2 × the quiet one + 1 ms`,
    measured: of.value(`${by}-disturbed`, 'nodemesh-features', 'p99Ms'),
    limit: upTo(of.value(`${by}-quiet`, 'nodemesh-features', 'p99Ms'), (quiet) => 1.2 * quiet + 1),
    unit: /** @type {const} */ ('ms'),
  })),
];

/**
 * @param {import('./types.ts').Outcome} outcome of all scenarios that ran
 * @returns {Verdict[]}
 */
export function judge(outcome) {
  const figures = new Figures(outcome);
  return LINES.map((line) => {
    const judged = line(figures);
    const { measured, limit } = judged;
    return { ...judged, holds: measured === null || limit === null ? null : measured <= limit };
  });
}

/**
 * @param {Figures} of
 * @param {string} scenario
 */
function memory(of, scenario) {
  return of.value(scenario, 'nodemesh-features', 'memMb');
}

/**
 * @param {number | null} value
 * @param {(value: number) => number} limit
 */
function upTo(value, limit) {
  return value === null ? null : limit(value);
}

/**
 * @param {number | null} value
 * @param {number | null} by
 */
function divide(value, by) {
  return value === null || by === null ? null : value / by;
}

/**
 * @param {number | null} value
 * @param {number | null} less
 */
function minus(value, less) {
  return value === null || less === null ? null : value - less;
}
