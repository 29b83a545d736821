// A strict reader of Prometheus' text format 0.0.4, with the conventions that a good metric keeps.
// Reference: https://prometheus.io/docs/instrumenting/exposition_formats/ and
// https://prometheus.io/docs/practices/naming/

export interface Family {
  type: string;
  help: string;
  /** By the line's text in front of the value. */
  samples: Map<string, number>;
}

const LINE = /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/;

/** Reads `text`; throws for what Prometheus would refuse, and for names and types that break its conventions. */
export function readMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let name = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment?.[1] === "HELP") {
      name = comment[2];
      if (families.has(name)) throw new Error(`${name} comes twice`);
      families.set(name, { type: "", help: comment[3], samples: new Map() });
    } else if (comment?.[1] === "TYPE") {
      if (comment[2] !== name) throw new Error(`a type of another metric: ${line}`);
      families.get(name)!.type = comment[3];
    } else {
      const family = families.get(name);
      const match = LINE.exec(line);
      if (match === null || family === undefined) throw new Error(`no line of a metric: ${line}`);
      const suffix = match[1].slice(name.length);
      const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!match[1].startsWith(name) || !suffixes.includes(suffix))
        throw new Error(`a line of another metric: ${line}`);
      const key = line.slice(0, line.lastIndexOf(" "));
      const value = Number(match[3]);
      if (family.samples.has(key) || !Number.isFinite(value) || value < 0) throw new Error(`not a value: ${line}`);
      family.samples.set(key, value);
    }
  }
  for (const [each, family] of families) check(each, family);
  return families;
}

function check(name: string, { type, help, samples }: Family): void {
  const fits =
    type === "counter" ? name.endsWith("_total") : ["gauge", "histogram"].includes(type) && !name.endsWith("_total");
  if (!fits) throw new Error(`${name} is no name of a ${type}`);
  if (!/^[A-Z0-9].*\.$/.test(help)) throw new Error(`${name} is not explained by a sentence: ${help}`);
  if (/_(ms|ns|us|milliseconds|kib|kb|percent)(_|$)/.test(name)) throw new Error(`${name} is not in a base unit`);
  if (type === "histogram") checkHistogram(name, samples);
}

/** Buckets grow, the last is +Inf and equal to the count. */
function checkHistogram(name: string, samples: Map<string, number>): void {
  const series = new Map<string, [number, number][]>();
  for (const [key, value] of samples) {
    const le = /(?:,|\{)le="([^"]+)"/.exec(key);
    if (le === null) continue;
    const labels = key
      .replace(le[0].slice(1), "")
      .replace(/[{,}]+/g, " ")
      .replace(`${name}_bucket`, "")
      .trim();
    series.set(labels, [...(series.get(labels) ?? []), [le[1] === "+Inf" ? Infinity : Number(le[1]), value]]);
  }
  for (const [labels, buckets] of series) {
    for (const [at, [le, count]] of buckets.entries()) {
      const [lastLe, lastCount] = buckets[at - 1] ?? [0, 0];
      if (!(le > lastLe) || count < lastCount) throw new Error(`${name} ${labels}: buckets that do not grow`);
    }
    const given = labels === "" ? "" : `{${labels.replaceAll(" ", ",")}}`;
    const count = samples.get(`${name}_count${given}`);
    const [le, last] = buckets.at(-1)!;
    if (le !== Infinity || last !== count) throw new Error(`${name} ${labels}: +Inf is not the count, ${count}`);
    if (!samples.has(`${name}_sum${given}`)) throw new Error(`${name} ${labels} has no sum`);
  }
}
