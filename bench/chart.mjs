// A row's figures as an SVG: bars for what each server does, lines for a curve.

import { median, pointName } from "./report.mjs";

const OURS = "#1f77b4";
const THEIRS = "#b0b7bf";
const WIDTH = 860;
const BAR = 30;
const MARGIN = 90;
const LINES = 420;

/** What a bar shows; a kind that is not here has no chart. */
const BARS = {
  throughput: { figure: "requestsPerSecond", unit: "requests/s" },
  lines: { figure: "perSecond", unit: "a second" },
  transfers: { figure: "megabytesPerSecond", unit: "MB/s" },
  websocket: { figure: "perSecond", unit: "messages/s" },
  latency: { figure: "p99Micros", unit: "µs, p99" },
  memory: { figure: "rss", unit: "bytes a connection" },
  start: { figure: "milliseconds", unit: "ms to the first byte" },
};

/** SVG text, or null. `echarts` is that of bench/npm. */
export function chart(echarts, row) {
  const contenders = row.contenders.filter(({ problem }) => problem === null);
  if (contenders.length === 0) return null;
  if (row.kind === "curve") return draw(echarts, LINES, lines(row, contenders));
  const bar = BARS[row.kind];
  return bar === undefined ? null : draw(echarts, MARGIN + BAR * contenders.length, bars(row, contenders, bar));
}

function draw(echarts, height, options) {
  const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  const grid = { left: 20, right: 90, top: 56, bottom: 16, outerBoundsMode: "same" };
  drawing.setOption({ animation: false, backgroundColor: "#ffffff", grid, ...options });
  const svg = drawing.renderToSVGString();
  drawing.dispose();
  return `${svg}\n`;
}

function bars({ title }, contenders, { figure, unit }) {
  const value = ({ samples }) => Math.round(median(samples.map((sample) => sample[figure])));
  return {
    title: { text: title, subtext: unit, textStyle: { fontSize: 14 } },
    xAxis: { type: "value" },
    yAxis: { type: "category", inverse: true, data: contenders.map((contender) => contender.title) },
    series: {
      type: "bar",
      label: { show: true, position: "right", formatter: ({ value: shown }) => shown.toLocaleString("en") },
      data: contenders.map((contender) => ({
        value: value(contender),
        itemStyle: { color: contender.product ? OURS : THEIRS },
      })),
    },
  };
}

function lines({ title, values }, contenders) {
  return {
    title: { text: title, subtext: "CPU µs a request", textStyle: { fontSize: 14 } },
    legend: { bottom: 0 },
    grid: { left: 20, right: 40, top: 70, bottom: 40, outerBoundsMode: "same" },
    xAxis: { type: "category", data: values.map((value) => value.toLocaleString("en")) },
    yAxis: { type: "value", min: 0 },
    series: contenders.map(({ title: name, samples }) => ({
      name,
      type: "line",
      data: values.map((value) => median(samples.map((sample) => sample[pointName(value)])).toFixed(1)),
    })),
  };
}
