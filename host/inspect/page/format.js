// Numbers as people read them: three digits, and a unit of its own for each.

const COUNTS = ["", " k", " M", " G", " T"];
const SIZES = [" B", " KiB", " MiB", " GiB", " TiB"];

/** Three digits, without zeros at the end behind a point. @param {number} value */
function digits(value) {
  if (value === 0) return "0";
  const places = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return String(Number(value.toFixed(places)));
}

/** @param {number} value @param {number} step @param {readonly string[]} units */
function scaled(value, step, units) {
  let at = 0;
  while (value >= step * 0.9995 && at < units.length - 1) {
    value /= step;
    at++;
  }
  return `${digits(value)}${units[at]}`;
}

/** `1500` is "1.5 k". @param {number} value */
export function count(value) {
  return value < 10_000 && Number.isInteger(value) ? String(value) : scaled(value, 1000, COUNTS);
}

/** @param {number} value */
export function bytes(value) {
  return scaled(value, 1024, SIZES);
}

/** @param {number} ms */
export function duration(ms) {
  if (ms === 0) return "0";
  if (ms < 0.9995) return `${digits(ms * 1000)} µs`;
  return ms < 999.5 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

/** The local time of day. @param {number} ms since 1970 */
export function clock(ms) {
  return new Date(ms).toTimeString().slice(0, 8);
}

const SPANS = /** @type {const} */ ([
  [86_400_000, "d", 3_600_000, "h"],
  [3_600_000, "h", 60_000, "min"],
  [60_000, "min", 1000, "s"],
]);

/** A time in two units: `90_000` is "1 min 30 s". @param {number} ms */
export function span(ms) {
  for (const [large, largeName, small, smallName] of SPANS) {
    if (ms < large) continue;
    return `${Math.floor(ms / large)} ${largeName} ${Math.floor((ms % large) / small)} ${smallName}`;
  }
  return `${Math.floor(ms / 1000)} s`;
}

/** @param {number} share of 1 */
export function percent(share) {
  return `${digits(share * 100)} %`;
}
