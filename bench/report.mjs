// From samples to verdicts, and from verdicts to Markdown.
// Invariant: a ratio is taken inside each round, and the median of those is judged; a missing figure judges nothing.

const BUSY = "**Other programs were running**: the CPU figures are worth more than the requests/s";

const LEGEND = [
  "Values are medians over the rounds, with the smallest and the largest in brackets; a ratio is the median of the",
  "rounds' ratios. CPU is user and system time of all the server's processes. A server whose core is not busy was held",
  "back by the load or by other programs; where the load's own core was busy, it was the load.",
].join(" ");

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The figure of a curve's sample at this value. */
export function pointName(value) {
  return `at${value}`;
}

/** The row's claims with their `value` (null: not available) and `met` (null: nothing was promised, or no value). */
export function judge(row) {
  const figures = ({ of, over, figure }) => {
    const [upper, lower] = [of, over].map((key) => row.contenders.find((contender) => contender.key === key));
    if ([upper, lower].some((each) => each?.problem)) return null;
    return upper.samples.map((sample, round) => sample[figure] / (lower?.samples[round][figure] ?? 1));
  };
  return row.claims.map((claim) => {
    const values = figures(claim);
    const value = values && median(values);
    const promised = claim.atLeast !== undefined || claim.atMost !== undefined;
    const holds = value >= (claim.atLeast ?? -Infinity) && value <= (claim.atMost ?? Infinity);
    return { ...claim, row: row.id, value, values, met: promised && value !== null ? holds : null };
  });
}

/** `worse`: what gotWorse found. */
export function renderReport({ machine, versions, options, rows, worse }) {
  const parts = [
    "# Benchmark",
    list([
      `${machine.date}, ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}`,
      `load average before: ${machine.loadBefore.toFixed(2)}${machine.busy ? `. ${BUSY}` : ""}`,
      `pinning: ${machine.pinning}`,
      versions.join(", "),
      `interleaved rounds: ${options.rounds}, in each ${options.seconds} s for every server after 1 s of warm-up`,
    ]),
    "## Verdicts",
    table(
      ["row", "figure", "value", "target", ""],
      rows.flatMap((row) => row.verdicts.map(verdictCells)),
    ),
    ...(worse.length === 0 ? [] : ["## Worse than the run that was kept", list(worse.map(worseLine))]),
    ...rows.flatMap((row) => [`## ${row.id}: ${row.title}`, ...renderRow(row)]),
    LEGEND,
  ];
  return `${parts.join("\n\n")}\n`;
}

function worseLine({ row, name, before, now }) {
  return `${row}, ${name}: ${ratio(before)} → ${ratio(now)}`;
}

function verdictCells({ row, name, value, values, atLeast, atMost, over, met }) {
  const format = over === undefined ? count : ratio;
  const target = atLeast !== undefined ? `≥ ${format(atLeast)}` : atMost !== undefined ? `≤ ${format(atMost)}` : "";
  const result = value === null ? "no figure, see below" : met === null ? "" : met ? "met" : "**not met**";
  return [row, name, value === null ? "" : spread(values, format), target, result];
}

/** A curve's are its points. */
function columnsOf(row) {
  const { kind, values } = row;
  if (kind === "curve")
    return values.map((value) => ({ head: count(value), figure: pointName(value), format: decimal }));
  return COLUMNS[kind].filter(({ only }) => only === undefined || row[only]);
}

function renderRow(row) {
  const { contenders } = row;
  const measured = contenders.filter(({ problem }) => problem === null);
  const out = contenders.filter(({ problem }) => problem !== null);
  const columns = columnsOf(row);
  const cells = ({ title, samples }) => [
    title,
    ...columns.map(({ figure, format }) =>
      spread(
        samples.map((sample) => sample[figure]),
        format,
      ),
    ),
  ];
  const parts = [];
  if (measured.length > 0) parts.push(table(["", ...columns.map(({ head }) => head)], measured.map(cells)));
  if (out.length > 0) {
    const reason = ({ title, unavailable, problem }) =>
      `${title}: ${unavailable ? "not available" : "FAILED"}: ${problem}`;
    parts.push(list(out.map(reason)));
  }
  return parts;
}

const COLUMNS = {
  throughput: [
    { head: "requests/s", figure: "requestsPerSecond", format: count },
    { head: "CPU µs a request", figure: "cpuMicros", format: decimal },
    { head: "first process", figure: "mainCpuMicros", format: decimal, only: "splitCpu" },
    { head: "its children", figure: "childCpuMicros", format: decimal, only: "splitCpu" },
    { head: "cores busy", figure: "busy", format: ratio },
    { head: "RSS MiB", figure: "rss", format: mebibytes, only: "showsMemory" },
  ],
  lines: [
    { head: "a second", figure: "perSecond", format: count },
    { head: "CPU µs each", figure: "cpuMicros", format: decimal },
    { head: "cores busy", figure: "busy", format: ratio },
    { head: "load's core busy", figure: "loadBusy", format: ratio },
    { head: "p50 µs", figure: "p50Micros", format: count },
    { head: "p99 µs", figure: "p99Micros", format: count },
    { head: "p50 µs, alone", figure: "aloneMicros", format: count },
  ],
  parser: [
    { head: "requests/s", figure: "perSecond", format: count },
    { head: "ns a request", figure: "nanosEach", format: decimal },
    { head: "GB/s", figure: "gigabytesPerSecond", format: ratio },
  ],
  timers: [1000, 10_000, 100_000].flatMap((armed) => [
    { head: `ns to arm and remove, ${count(armed)} armed`, figure: `pair${armed}`, format: count },
    { head: "ns to arm and fire", figure: `fire${armed}`, format: count },
  ]),
  transfers: [
    { head: "MB/s", figure: "megabytesPerSecond", format: count },
    { head: "CPU µs a MB", figure: "cpuMicrosPerMegabyte", format: count },
    { head: "cores busy", figure: "busy", format: ratio },
    { head: "load's core busy", figure: "loadBusy", format: ratio },
  ],
  websocket: [
    { head: "messages/s", figure: "perSecond", format: count },
    { head: "CPU µs each", figure: "cpuMicros", format: decimal },
    { head: "cores busy", figure: "busy", format: ratio },
    { head: "load's core busy", figure: "loadBusy", format: ratio },
    { head: "p50 µs", figure: "p50Micros", format: count },
    { head: "p99 µs", figure: "p99Micros", format: count },
  ],
  memory: [
    { head: "RSS bytes a connection", figure: "rss", format: count },
    { head: "PSS bytes a connection", figure: "pss", format: count },
    { head: "RSS MiB before", figure: "baseRss", format: mebibytes },
  ],
  size: [{ head: "bytes", figure: "bytes", format: count }],
  latency: [
    { head: "p50 µs", figure: "p50Micros", format: count },
    { head: "p90 µs", figure: "p90Micros", format: count },
    { head: "p99 µs", figure: "p99Micros", format: count },
    { head: "p99.9 µs", figure: "p999Micros", format: count },
    { head: "CPU µs a request", figure: "cpuMicros", format: decimal },
  ],
  growth: [
    { head: "requests", figure: "firstRequests", format: count },
    { head: "RSS MiB", figure: "few", format: mebibytes },
    { head: "requests", figure: "requests", format: count },
    { head: "RSS MiB", figure: "many", format: mebibytes },
  ],
  start: [
    { head: "ms to the first byte", figure: "milliseconds", format: decimal },
    { head: "the slowest of them", figure: "slowest", format: decimal },
  ],
};

// --- formats ---

function spread(values, format) {
  const middle = format(median(values));
  if (values.length === 1) return middle;
  return `${middle} [${format(Math.min(...values))}–${format(Math.max(...values))}]`;
}

function count(value) {
  return Math.round(value).toLocaleString("en");
}

function decimal(value) {
  return value.toFixed(1);
}

function mebibytes(bytes) {
  return decimal(bytes / 1024 ** 2);
}

function ratio(value) {
  return value.toFixed(2);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function list(lines) {
  return lines.map((line) => `- ${line.replaceAll("\n", " ")}`).join("\n");
}
