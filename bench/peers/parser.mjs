// Waterspout's head parser and llhttp's WebAssembly build, in turns in one process, over the same bytes.
// Usage: node bench/peers/parser.mjs HEADS.WASM short|browser|cookies SECONDS
// It prints one line of JSON: for each of them the requests a second of CPU time in its best slice. Slices are short
// and take turns, so that what disturbs one disturbs the others, and the best was disturbed least; the whole takes
// SECONDS for each.
// llhttp cannot be used without its callbacks. `llhttp` has them in JavaScript, as in undici and in Node's own tests,
// with nothing in them; `llhttpBare` has them in WebAssembly, which is the least that they can cost.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { bufferOf } from "./requests.mjs";

const SLICE_MS = 20;
const REQUEST_TYPE = 1;

const [file, name, seconds] = process.argv.slice(2);
const { bytes, requests, fields } = bufferOf(name);

/** Each parser is a function that parses the buffer so many times, and throws unless it has found all that is in it. */
function waterspout() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
  exports._initialize?.();
  new Uint8Array(exports.memory.buffer, exports.buffer(), bytes.length).set(bytes);
  return (times) => {
    const found = exports.parse(bytes.length, times);
    if (found !== requests * fields * times) throw new Error(`Waterspout found ${found} fields`);
  };
}

function llhttp(callbacks) {
  const binary = createRequire(import.meta.url)("undici/lib/llhttp/llhttp_simd-wasm.js");
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: callbacks.imports });
  const { exports } = instance;
  exports._initialize?.();
  const at = exports.malloc(bytes.length);
  new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
  const parser = exports.llhttp_alloc(REQUEST_TYPE);
  return (times) => {
    const before = callbacks.complete();
    for (let index = 0; index < times; index++) {
      if (exports.llhttp_execute(parser, at, bytes.length) !== 0) throw new Error("llhttp refused the request");
    }
    const found = callbacks.complete() - before;
    if (found !== requests * times) throw new Error(`llhttp found ${found} requests`);
  };
}

function inJavaScript() {
  let count = 0;
  const nothing = () => 0;
  const complete = () => {
    count++;
    return 0;
  };
  return { imports: importsOf(nothing, nothing, nothing, complete), complete: () => count };
}

/** The same as a module of 79 bytes, which was written by hand: two functions that answer 0, one that also counts. */
function inWebAssembly() {
  const type = (parameters) => [0x60, parameters, ...Array(parameters).fill(0x7f), 1, 0x7f];
  const section = (id, ...content) => [id, content.length, ...content];
  const exported = (letter, kind, index) => [1, letter.charCodeAt(0), kind, index];
  const zero = [4, 0, 0x41, 0, 0x0b]; // i32.const 0
  const counting = [11, 0, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x41, 0, 0x0b]; // global 0 += 1; i32.const 0
  const module = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 3, ...type(1), ...type(3), ...type(4)),
    ...section(3, 4, 0, 1, 2, 0),
    ...section(6, 1, 0x7f, 1, 0x41, 0, 0x0b), // one mutable i32
    ...section(
      7,
      5,
      ...exported("e", 0, 0),
      ...exported("s", 0, 1),
      ...exported("h", 0, 2),
      ...exported("c", 0, 3),
      ...exported("n", 3, 0),
    ),
    ...section(10, 4, ...zero, ...zero, ...zero, ...counting),
  ];
  const { e, s, h, c, n } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(module))).exports;
  return { imports: importsOf(e, s, h, c), complete: () => n.value };
}

function importsOf(event, span, headers, complete) {
  return {
    wasm_on_message_begin: event,
    wasm_on_url: span,
    wasm_on_status: span,
    wasm_on_header_field: span,
    wasm_on_header_value: span,
    wasm_on_headers_complete: headers,
    wasm_on_body: span,
    wasm_on_message_complete: complete,
  };
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const parsers = { waterspout: waterspout(), llhttp: llhttp(inJavaScript()), llhttpBare: llhttp(inWebAssembly()) };
const best = {};
/** Repetitions that take about a slice, by parser. */
const times = {};
for (const [key, parse] of Object.entries(parsers)) {
  let count = 1;
  for (let took = 0; took < SLICE_MS; count *= 2) {
    const before = cpuSeconds();
    parse(count);
    took = (cpuSeconds() - before) * 1000;
  }
  times[key] = count;
  best[key] = 0;
}
const until = performance.now() + Number(seconds) * 1000 * Object.keys(parsers).length;
while (performance.now() < until) {
  for (const [key, parse] of Object.entries(parsers)) {
    const before = cpuSeconds();
    parse(times[key]);
    best[key] = Math.max(best[key], (requests * times[key]) / (cpuSeconds() - before));
  }
}
process.stdout.write(`${JSON.stringify({ requestBytes: bytes.length / requests, perSecond: best })}\n`);
