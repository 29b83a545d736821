// The charts: what each draws, and uPlot around it. uPlot is a global, from uplot.js.
// Invariant: a chart has the last WINDOW seconds, never more; a second that was not measured is a gap, not a line across
// it.
import { bytes, clock, count, duration } from "./format.js";

/** Seconds that are shown. */
export const WINDOW = 120;

/**
 * @typedef {import("../snapshot.js").Snapshot} Snapshot
 * @typedef {{ name: string, color: "one" | "two" | "three" | "four", fill?: boolean, value: (s: Snapshot) => number |
 *   null }} Line
 * @typedef {{ id: string, title: string, format: (value: number) => string, stacked?: boolean, scale?: "log" | "bytes",
 *   smooth?: number, lines: Line[] }} Chart smooth: each value is the mean of so many seconds
 */

/** @type {Chart[]} */
export const CHARTS = [
  {
    id: "requests",
    title: "Requests a second",
    format: count,
    lines: [
      { name: "answered or on their way", color: "one", fill: true, value: (s) => s.requests.perSecond },
      { name: "refused", color: "four", value: (s) => s.requests.refusedPerSecond },
    ],
  },
  {
    id: "statuses",
    title: "Answers a second by status",
    format: count,
    lines: [
      { name: "2xx", color: "two", fill: true, value: answers("2xx") },
      { name: "3xx", color: "one", value: answers("3xx") },
      { name: "4xx", color: "three", value: answers("4xx") },
      { name: "5xx and broken off", color: "four", value: answers("5xx", "aborted") },
    ],
  },
  {
    id: "latency",
    title: "Latency in the handler's process",
    format: duration,
    scale: "log",
    lines: [
      { name: "p50", color: "two", fill: true, value: (s) => s.latency?.p50 ?? null },
      { name: "p90", color: "one", value: (s) => s.latency?.p90 ?? null },
      { name: "p99", color: "three", value: (s) => s.latency?.p99 ?? null },
      { name: "max", color: "four", value: (s) => s.latency?.max ?? null },
    ],
  },
  {
    id: "connections",
    title: "Open connections",
    format: count,
    stacked: true,
    smooth: 5,
    lines: [
      { name: "hot", color: "three", value: (s) => s.connections.hot },
      { name: "cold", color: "one", fill: true, value: (s) => s.connections.cold },
    ],
  },
  {
    id: "turns",
    title: "Time of a turn of the loop",
    format: duration,
    scale: "log",
    lines: [
      { name: "mean", color: "two", fill: true, value: (s) => s.turns?.mean ?? null },
      { name: "p99", color: "three", value: (s) => s.turns?.p99 ?? null },
      { name: "max", color: "four", value: (s) => s.turns?.max ?? null },
    ],
  },
  {
    id: "ready",
    title: "Ready per turn",
    format: count,
    lines: [{ name: "listeners and connections", color: "two", fill: true, value: (s) => s.turns?.ready ?? null }],
  },
  {
    id: "memory",
    title: "Memory",
    format: bytes,
    scale: "bytes",
    lines: [
      { name: "Node", color: "one", fill: true, value: (s) => s.memory.node },
      { name: "sandbox", color: "two", value: (s) => (s.counts ? s.memory.sandbox : null) },
      { name: "buffers", color: "three", value: (s) => (s.counts ? s.memory.buffers : null) },
    ],
  },
];

/** @param {...string} statuses @returns {Line["value"]} */
function answers(...statuses) {
  return (s) => s.statuses.reduce((sum, { status, perSecond }) => sum + (statuses.includes(status) ? perSecond : 0), 0);
}

/** From 0, with some room above. @type {uPlot.Scale} */
const LINEAR_SCALE = { range: (_plot, _min, max) => [0, max > 0 ? max * 1.12 : 1] };
/** Whole powers of ten, at least two, so that the median is seen next to the longest. @type {uPlot.Scale} */
const LOG_SCALE = {
  distr: 3,
  log: 10,
  range: (_plot, min, max) => {
    if (!(min > 0)) return [0.001, 1];
    const from = Math.floor(Math.log10(min));
    return [10 ** from, 10 ** Math.max(Math.ceil(Math.log10(max)), from + 2)];
  },
};
const BINARY_STEPS = Array.from({ length: 40 }, (_, power) => 2 ** power);

/** One chart in its card. */
export class Card {
  /** @param {Chart} chart @param {HTMLElement} parent */
  constructor(chart, parent) {
    this.chart = chart;
    /** @type {[number[], ...(number | null)[][]]} */
    this.data = [[], ...chart.lines.map(() => [])];
    const section = parent.appendChild(document.createElement("section"));
    section.id = `chart-${chart.id}`;
    const heading = section.appendChild(document.createElement("h2"));
    heading.append(`${chart.title} `);
    this.time = heading.appendChild(document.createElement("time"));
    const legend = section.appendChild(document.createElement("ul"));
    legend.className = "legend";
    this.values = chart.lines.map((line) => {
      const item = legend.appendChild(document.createElement("li"));
      item.className = line.color;
      item.append(`${line.name} `);
      return item.appendChild(document.createElement("b"));
    });
    this.box = section.appendChild(document.createElement("div"));
    this.box.className = "plot";
    /** The seconds that the newest value is the mean of. @type {Snapshot[]} */
    this.recent = [];
    /** @type {uPlot | null} */
    this.plot = null;
    /** The point that the pointer is on, null: none. @type {number | null} */
    this.index = null;
    this.draw();
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.box);
  }

  /** Draws all anew: at first, and when the colours have changed. */
  draw() {
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), this.shown(), this.box);
  }

  /** One more second. @param {Snapshot} snapshot */
  add(snapshot) {
    const [times, ...columns] = this.data;
    times.push(snapshot.time / 1000);
    this.recent = [...this.recent, snapshot].slice(-(this.chart.smooth ?? 1));
    for (const [at, line] of this.chart.lines.entries()) columns[at].push(mean(this.recent.map(line.value)));
    while (times[0] < snapshot.time / 1000 - WINDOW) for (const column of this.data) column.shift();
    this.plot?.setData(this.shown());
    this.say();
  }

  /** After a time without a connection: the line ends. */
  interrupt() {
    this.recent = [];
    const last = this.data[0].at(-1);
    if (last === undefined || this.data[1].at(-1) === null) return;
    const [times, ...columns] = this.data;
    times.push(last + 0.001);
    for (const column of columns) column.push(null);
  }

  /** What is drawn: stacked lines stand on each other, the last at the bottom. */
  shown() {
    if (!this.chart.stacked) return this.data;
    const [times, ...columns] = this.data;
    const sums = columns.map((column, at) =>
      column.map((value, index) =>
        value === null ? null : columns.slice(at).reduce((sum, other) => sum + (other[index] ?? 0), 0),
      ),
    );
    return /** @type {typeof this.data} */ ([times, ...sums]);
  }

  /** The legend: the newest values, or those under the pointer and their time. */
  say() {
    const at = this.index ?? this.data[0].length - 1;
    this.time.textContent = this.index === null ? "" : clock((this.data[0][at] ?? 0) * 1000);
    for (const [line, element] of this.values.entries()) {
      const value = this.data[line + 1][at] ?? null;
      element.textContent = value === null ? "–" : this.chart.format(value);
    }
  }

  size() {
    return { width: Math.max(this.box.clientWidth, 120), height: this.box.clientHeight || 170 };
  }

  /** Where lines of the grid may be. @returns {uPlot.Axis} */
  steps() {
    return this.chart.scale === "bytes" ? { space: 34, incrs: BINARY_STEPS } : { space: this.chart.scale ? 18 : 34 };
  }

  /** @param {number | null} value of a line of the grid */
  label(value) {
    return value === null ? "" : this.chart.format(value);
  }

  /** @returns {uPlot.Options} */
  options() {
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    const axis = {
      stroke: color("soft"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: color("grid"), width: 1 },
      ticks: { show: false },
    };
    return {
      ...this.size(),
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "waterspout" }, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { time: true, range: (_plot, min, max) => [min, Math.max(max, min + WINDOW / 4)] },
        y: this.chart.scale === "log" ? LOG_SCALE : LINEAR_SCALE,
      },
      axes: [
        { ...axis, size: 26, space: 70, values: "{HH}:{mm}:{ss}" },
        { ...axis, ...this.steps(), size: 62, values: (_plot, values) => values.map((value) => this.label(value)) },
      ],
      series: [{}, ...this.chart.lines.map((line) => seriesOf(line, color(line.color)))],
      bands: this.chart.stacked ? [{ series: [1, 2], fill: `${color(this.chart.lines[0].color)}66` }] : [],
      hooks: {
        setCursor: [
          (plot) => {
            this.index = plot.cursor.idx ?? null;
            this.say();
          },
        ],
      },
    };
  }
}

/** @param {(number | null)[]} values @returns {number | null} null when one of them is not known */
function mean(values) {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}

/** @param {Line} line @param {string} stroke @returns {uPlot.Series} */
function seriesOf(line, stroke) {
  return { label: line.name, stroke, width: 1.75, points: { show: false }, ...(line.fill && { fill: `${stroke}2a` }) };
}
