// llhttp, the parser of Node, in the WebAssembly build that undici carries; strict, as it is by default.
// Reference: llhttp's include/llhttp.h and undici's lib/dispatcher/client-h1.js, which has the same callbacks.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Outcome } from "./outcome.js";

interface Exports {
  memory: WebAssembly.Memory;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, at: number, size: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_should_keep_alive(parser: number): number;
  llhttp_resume_after_upgrade(parser: number): void;
  llhttp_errno_name(error: number): number;
}

const require = createRequire(import.meta.url);
const REQUEST = 1;
const OK = 0;
const CLOSED_CONNECTION = 5;
const PAUSED_UPGRADE = 22;
const INPUT_BYTES_MAX = 1 << 17;

const { METHODS } = require("undici/lib/llhttp/constants.js") as { METHODS: Record<string, number> };
const methodNames = new Map(Object.entries(METHODS).map(([name, code]) => [code, name.replace("MSEARCH", "M-SEARCH")]));

export class Llhttp {
  private readonly wasm: Exports;
  private readonly parser: number;
  private readonly input: number;
  // What the callbacks have reported of the connection so far.
  private outcome: Outcome = [];
  private phase: "idle" | "head" | "body" = "idle";
  private target = "";
  private body = "";
  private lastGoesOn = true;

  constructor() {
    const text = (at: number, size: number): Buffer => Buffer.from(this.wasm.memory.buffer, at, size);
    const nothing = (): number => 0;
    const env = {
      wasm_on_message_begin: () => this.began(),
      wasm_on_url: (_: number, at: number, size: number) => this.add("target", text(at, size).toString("latin1")),
      wasm_on_status: nothing,
      wasm_on_header_field: nothing,
      wasm_on_header_value: nothing,
      wasm_on_headers_complete: () => this.headComplete(),
      wasm_on_body: (_: number, at: number, size: number) => this.add("body", text(at, size).toString("hex")),
      wasm_on_message_complete: () => this.complete(),
    };
    const bytes = require("undici/lib/llhttp/llhttp-wasm.js") as Buffer;
    this.wasm = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { env })
      .exports as unknown as Exports;
    this.parser = this.wasm.llhttp_alloc(REQUEST);
    this.input = this.wasm.malloc(INPUT_BYTES_MAX);
  }

  static get version(): string {
    const file = require.resolve("undici/package.json");
    return `undici ${(JSON.parse(readFileSync(file, "utf8")) as { version: string }).version}`;
  }

  run(request: Uint8Array): Outcome {
    const { wasm, parser, input } = this;
    this.outcome = [];
    this.phase = "idle";
    this.lastGoesOn = true;
    wasm.llhttp_reset(parser);
    new Uint8Array(wasm.memory.buffer).set(request, input);
    for (let at = 0; at < request.length && this.lastGoesOn; ) {
      const error = wasm.llhttp_execute(parser, input + at, request.length - at);
      if (error === OK) break;
      if (error !== PAUSED_UPGRADE) {
        if (error !== CLOSED_CONNECTION) this.outcome.push({ kind: "refused", reason: this.nameOf(error) });
        return this.outcome;
      }
      // The upgrade is not done, so what follows is the next request.
      at = wasm.llhttp_get_error_pos(parser) - input;
      wasm.llhttp_resume_after_upgrade(parser);
    }
    if (this.phase !== "idle") this.outcome.push({ kind: this.phase === "head" ? "needs head" : "needs body" });
    return this.outcome;
  }

  private began(): number {
    this.phase = "head";
    this.target = this.body = "";
    return 0;
  }

  private add(what: "target" | "body", text: string): number {
    this[what] += text;
    return 0;
  }

  private headComplete(): number {
    this.phase = "body";
    return 0;
  }

  private complete(): number {
    const method = methodNames.get(this.wasm.llhttp_get_method(this.parser)) ?? "?";
    const keepAlive = this.wasm.llhttp_should_keep_alive(this.parser) !== 0;
    this.outcome.push({ kind: "message", method, target: this.target, body: this.body, keepAlive });
    this.phase = "idle";
    this.lastGoesOn = keepAlive;
    return 0;
  }

  private nameOf(error: number): string {
    const at = this.wasm.llhttp_errno_name(error);
    const bytes = new Uint8Array(this.wasm.memory.buffer, at);
    return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString();
  }
}
