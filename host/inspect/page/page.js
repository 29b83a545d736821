// The live page: takes an event a second and shows it. Invariant: what comes is shown as text and as numbers, never as
// markup.
import { Card, CHARTS } from "./charts.js";
import { bytes, clock, count, duration, percent, span } from "./format.js";

/** @typedef {import("../snapshot.js").Snapshot} Snapshot */

/** Without an event for so long the page says so. */
const SILENT_MS = 3500;

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const cards = CHARTS.map((chart) => new Card(chart, element("charts")));

/** @param {string} id @param {string} text */
function say(id, text) {
  element(id).textContent = text;
}

/** @param {string} text @param {"good" | "bad" | ""} kind */
function sayState(text, kind) {
  say("state", text);
  element("state").className = kind;
}

/** @param {Snapshot} s */
function show(s) {
  const { serving, configured, restarts } = s.workers;
  const isReady = s.state === "serving" && serving > 0;
  sayState(isReady || s.state !== "serving" ? s.state : "no worker serves", isReady ? "good" : "bad");
  const again = restarts === 0 ? "" : `, ${restarts} started again`;
  const workers = `${serving} of ${configured} ${configured === 1 ? "worker" : "workers"}${again}`;
  const where = s.addresses.length === 0 ? "" : ` on ${s.addresses.join(", ")}`;
  say("about", `${s.program}${where} · ${s.runtime} · ${workers} · up ${span(s.uptime)} · version ${s.version}`);
  showNotice(
    s.counts
      ? ""
      : "A .wasm application does not tell what it counts: only its workers and the memory of Node are known.",
  );
  showTiles(s);
  showRefusals(s);
  showRoutes(s);
  showErrors(s);
  for (const card of cards) card.add(s);
}

/** @param {string} text */
function showNotice(text) {
  say("notice", text);
  element("notice").hidden = text === "";
}

/** @param {Snapshot} s */
function showTiles(s) {
  const open = s.connections.hot + s.connections.cold;
  say("memory", bytes(s.counts ? s.memory.sandbox : s.memory.node));
  say("memory-more", s.counts ? `and ${bytes(s.memory.node)} in Node` : "Node");
  if (!s.counts) return;
  say("rate", count(Math.round(s.requests.perSecond)));
  say("rate-more", `${count(s.requests.ever)} ever, ${count(s.requests.now)} now`);
  say("p99", s.latency === null ? "–" : duration(s.latency.p99));
  say("p99-more", s.latency === null ? "no request" : `p50 ${duration(s.latency.p50)}, max ${duration(s.latency.max)}`);
  say("connections", count(open));
  say("connections-more", `${count(s.connections.hot)} hot, ${count(s.connections.ever)} ever`);
  say("busy", percent(s.turns?.busy ?? 0));
  say("busy-more", s.turns === null ? "idle" : `${count(Math.round(s.turns.perSecond))} turns a second`);
  say("refused", count(s.refused.reduce((sum, each) => sum + each.count, 0)));
  say("refused-more", `and ${count(s.connections.refused)} connections`);
}

/** @param {Snapshot} s */
function showRefusals({ refused }) {
  const rows = refused.map((each) => ({
    cells: [each.reason.replaceAll("_", " "), String(each.status), count(each.count)],
    value: each.count,
  }));
  showTable("refusals", rows, "share of the most frequent");
}

/** @param {Snapshot} s */
function showRoutes({ routes }) {
  const failing = routes.failing.map((each) => ({
    cells: [nameOf(each), duration(each.p99), count(each.failed)],
    value: each.failed / each.requests,
  }));
  showTable("failing", failing, "share of its requests", 1);
  const slowest = routes.slowest.map((each) => ({
    cells: [nameOf(each), count(each.requests), duration(each.p99)],
    value: each.p99,
  }));
  showTable("slowest", slowest, "share of the slowest");
}

/** @param {{ method: string, route: string }} row */
function nameOf({ method, route }) {
  return `${method} ${route === "" ? "without a route" : route}`;
}

/**
 * Fills the table of a section. Each row's last cell is a meter of its value, up to `max`: by default the greatest.
 * @param {string} id @param {{ cells: string[], value: number }[]} rows @param {string} label @param {number} [max]
 */
function showTable(id, rows, label, max = Math.max(...rows.map(({ value }) => value))) {
  const table = /** @type {HTMLTableElement} */ (element(id).querySelector("table"));
  table.tBodies[0].replaceChildren(
    ...rows.map(({ cells, value }) => {
      const tr = document.createElement("tr");
      for (const text of cells) tr.appendChild(document.createElement("td")).textContent = text;
      const meter = tr.appendChild(document.createElement("td")).appendChild(document.createElement("meter"));
      meter.max = max;
      meter.value = value;
      meter.setAttribute("aria-label", label);
      return tr;
    }),
  );
  showWhether(id, table, rows.length > 0);
}

/** @param {Snapshot} s */
function showErrors({ errors }) {
  const list = /** @type {HTMLElement} */ (element("errors").querySelector("ol"));
  list.replaceChildren(
    ...errors.map(({ time, text }) => {
      const item = document.createElement("li");
      const when = item.appendChild(document.createElement("time"));
      when.dateTime = new Date(time).toISOString();
      when.textContent = clock(time);
      item.append(` ${text}`);
      return item;
    }),
  );
  showWhether("errors", list, errors.length > 0);
}

/** @param {string} id @param {HTMLElement} shown @param {boolean} isSome whether it has anything to show */
function showWhether(id, shown, isSome) {
  shown.hidden = !isSome;
  /** @type {HTMLElement} */ (element(id).querySelector(".none")).hidden = isSome;
}

/** When the last event came, in milliseconds since 1970, and whether the server is there to send more. */
let cameMs = Date.now();
let isConnected = false;

/** A server that computes answers nothing and sends no event, and its connection stays. */
setInterval(() => {
  if (!isConnected || Date.now() - cameMs < SILENT_MS) return;
  sayState(`no data since ${clock(cameMs)}`, "bad");
  for (const card of cards) card.interrupt();
}, 1000);

const events = new EventSource("events");
events.addEventListener("message", ({ data }) => {
  cameMs = Date.now();
  isConnected = true;
  show(JSON.parse(data));
});
events.addEventListener("error", () => {
  isConnected = false;
  sayState(
    events.readyState === EventSource.CLOSED ? "too many look, or it has ended" : "connection lost, trying again",
    "bad",
  );
  for (const card of cards) card.interrupt();
});
events.addEventListener("end", () => {
  isConnected = false;
  sayState("ended; waiting for it to come back", "bad");
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const card of cards) card.draw();
});
