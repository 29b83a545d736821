// The parser of assembly/http in this process: test/assembly/protocol/http/support/harness.ts, compiled with SIMD or
// without, and run over a request in any pieces.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { ROOT } from "../e2e/support/ways.js";

interface Exports {
  memory: WebAssembly.Memory;
  begin(): void;
  give(source: number, size: number): number;
  finish(unread: number): void;
  log(): number;
  logSize(): number;
}

/** What scanners may load behind the end of their input; see assembly/bytes/buffer.ts. */
const SLACK = 64;
const PAGE = 65_536;
/** Pages behind the module's own, for input. */
const PAGES = 32;

/** What lies behind the input, in turn; none of it may count. */
const PATTERNS = ["\r\n", "a", "\0", ": ", "0\r\n\r\n", "HTTP/1.1\r\n", "\xff"].map((text) =>
  Buffer.from(text.repeat(SLACK).slice(0, SLACK), "latin1"),
);

/** Where bytes lie: at the very end of memory, or in front of the bytes that come next. */
type Place = "flush" | "followed";

function instantiate(file: string): WebAssembly.Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
}

export class Parser {
  private readonly input: number;
  private readonly end: number;
  private readonly bytes: Uint8Array;
  private runs = 0;

  private constructor(private readonly wasm: Exports) {
    this.input = wasm.memory.grow(PAGES) * PAGE;
    this.end = wasm.memory.buffer.byteLength - SLACK;
    this.bytes = new Uint8Array(wasm.memory.buffer);
  }

  /** `start` makes an instance of the compiled file. */
  static load(simd: boolean, start: (file: string) => WebAssembly.Instance = instantiate): Parser {
    const folder = mkdtempSync(path.join(tmpdir(), "waterspout-parser-"));
    try {
      const file = path.join(folder, "parser.wasm");
      const asc = path.join(ROOT, "node_modules/.bin/asc");
      const flags = [
        "--config",
        "none",
        "-O3",
        "--runtime",
        "stub",
        "--use",
        "abort=",
        simd ? "--enable" : "--disable",
        "simd",
      ];
      execFileSync(
        asc,
        [path.join(ROOT, "test/assembly/protocol/http/support/harness.ts"), ...flags, "--outFile", file],
        {
          cwd: ROOT,
          stdio: "pipe",
        },
      );
      return new Parser(start(file).exports as unknown as Exports);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The log of a request that comes in pieces which end at `ends`; the last is its size. */
  run(request: Uint8Array, ends: Iterable<number>, place: Place = "flush"): string {
    const { wasm, bytes } = this;
    const slack = PATTERNS[this.runs++ % PATTERNS.length];
    if (place === "followed") bytes.set(request, this.input);
    bytes.set(slack, place === "flush" ? this.end : this.input + request.length);
    let used = 0;
    wasm.begin();
    for (const end of ends) {
      const size = end - used;
      let source = this.input + used;
      if (place === "flush") {
        source = this.end - size;
        bytes.set(request.subarray(used, end), source);
      }
      used += wasm.give(source, size);
    }
    wasm.finish(request.length - used);
    return Buffer.from(wasm.memory.buffer, wasm.log(), wasm.logSize()).toString("latin1");
  }
}

/** The names of refusals by their numbers. */
export const REFUSALS = new Map(
  [
    ...readFileSync(path.join(ROOT, "assembly/protocol/http/refusals.ts"), "latin1").matchAll(
      /^ {2}([A-Z0-9_]+) = (-\d+),$/gm,
    ),
  ].map(([, name, code]) => [code, name]),
);

/** A log as lines, with names for the numbers of refusals. */
export function eventsOf(log: string): string[] {
  return log
    .split("\n")
    .slice(0, -1)
    .map((line) => line.replace(/^(refused \d+) (-\d+)$/, (_, start, code) => `${start} ${REFUSALS.get(code)}`));
}
