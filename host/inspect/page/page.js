// The live page: takes an event a second and shows it. Invariant: what comes is shown as text and as numbers, never as
// markup.
import { Card, CHARTS } from "./charts.js";
import { bytes, count, duration, percent } from "./format.js";

/** @typedef {import("../snapshot.js").Snapshot} Snapshot */

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
  say("about", `${s.runtime} · ${serving} of ${configured} ${configured === 1 ? "worker" : "workers"}${again}`);
  showNotice(
    s.counts
      ? ""
      : "A .wasm application does not tell what it counts: only its workers and the memory of Node are known.",
  );
  showTiles(s);
  showRefusals(s);
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
  const most = refused[0]?.count ?? 1;
  element("none").hidden = refused.length > 0;
  const table = /** @type {HTMLTableElement} */ (element("refusals").querySelector("table"));
  table.hidden = refused.length === 0;
  table.tBodies[0].replaceChildren(...refused.map((each) => row(each, most)));
}

/** @param {Snapshot["refused"][number]} refusal @param {number} most */
function row({ reason, status, count: requests }, most) {
  const tr = document.createElement("tr");
  for (const text of [reason.replaceAll("_", " "), String(status), count(requests)]) {
    tr.appendChild(document.createElement("td")).textContent = text;
  }
  const meter = tr.appendChild(document.createElement("td")).appendChild(document.createElement("meter"));
  meter.max = most;
  meter.value = requests;
  meter.setAttribute("aria-label", "share of the most frequent");
  return tr;
}

const events = new EventSource("events");
events.addEventListener("message", ({ data }) => show(JSON.parse(data)));
events.addEventListener("error", () => {
  sayState(
    events.readyState === EventSource.CLOSED ? "too many look, or it has ended" : "connection lost, trying again",
    "bad",
  );
  for (const card of cards) card.interrupt();
});
events.addEventListener("end", () => {
  sayState("ended; waiting for it to come back", "bad");
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const card of cards) card.draw();
});
