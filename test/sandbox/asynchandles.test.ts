// The handles that a component of WASI 0.3 holds: wasmtime ends it at 100,000, so it stops before; and the calls that a
// request takes, each of which costs more than what is done between two of them. The module inside the component runs
// here over a host that counts, ends it as wasmtime would, and is otherwise quick enough for 20,000 connections.
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { compile } from "../../host/cli/build/compiler.js";
import { TARGETS } from "../../host/cli/build/targets.js";
import { findPackage, type InstalledPackage } from "../../host/cli/packages.js";

const HOST_HANDLES_MAX = 100_000;
/** ASYNC_HANDLES_MAX without the listener, and FILES_OPEN_MAX. */
const CONNECTIONS_MAX = 20_063;
const FILES_MAX = 4096;

const BLOCKED = -1;
const CANCELLED = 2;
const STREAM_READ = 2;
const SUBTASK = 1;
const RETURNED = 2;
const YIELD = 1;
const GET = "GET /static/big.bin HTTP/1.1\r\nHost: x\r\n\r\n";

type Functions = Record<string, (...values: number[]) => unknown>;

/** A host of WASI 0.3 with clients that send what they are told to, and take no more than the start of an answer. */
class Host {
  /** By handle: the set that it has joined, 0: none. */
  readonly handles = new Map<number, number>();
  peak = 0;
  files = 0;
  /** How often each function has been called. */
  readonly calls = new Map<string, number>();
  /** Connections that have come and were not accepted. */
  queue = 0;
  /** Streams of connections' input, in the order in which they were accepted. */
  readonly inputs: number[] = [];
  /** What has come back on each, by the stream of its input. */
  readonly answers = new Map<number, string>();
  private free: number[] = [];
  private last = 0;
  private reading = new Map<number, number>(); // streams with a pending read, and where its bytes go
  private outputs = new Map<number, number>(); // the input that belongs to an output
  private accepting: [stream: number, target: number] | null = null;
  private events: [kind: number, waitable: number, result: number][] = [];
  private timer = 0;
  private now = 0n;
  private exports: Functions & { memory: WebAssembly.Memory };
  private state: number;

  constructor(module: WebAssembly.Module) {
    const imports: Record<string, Functions> = {};
    const functions = this.functions();
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const short = name.replace("[async-lower]", "").replace("[method]", "");
      imports[from] ??= {};
      imports[from][name] = (...values) => {
        this.calls.set(short, (this.calls.get(short) ?? 0) + 1);
        return functions[short](...values);
      };
    }
    const { exports } = new WebAssembly.Instance(module, imports as WebAssembly.Imports);
    this.exports = exports as typeof this.exports;
    this.exports._initialize();
    this.state = this.exports["[async-lift]wasi:cli/run@0.3.0#run"]() as number;
    this.run();
  }

  /** Until there is nothing more to do. */
  private run(): void {
    const callback = this.exports["[callback][async-lift]wasi:cli/run@0.3.0#run"];
    for (;;) {
      const event = this.state === YIELD ? [0, 0, 0] : this.events.shift();
      if (event === undefined) return;
      this.state = callback(...event) as number;
    }
  }

  connect(count: number): void {
    this.queue += count;
    if (this.accepting !== null) {
      const [stream, target] = this.accepting;
      this.accepting = null;
      this.events.push([STREAM_READ, stream, this.takeSocket(target) << 4]);
    }
    this.run();
  }

  /** The clients of `inputs` send `text` at the same time. */
  send(inputs: readonly number[], text: string): void {
    for (const input of inputs) {
      const target = this.reading.get(input) as number;
      this.reading.delete(input);
      new TextEncoder().encodeInto(text, new Uint8Array(this.exports.memory.buffer, target));
      this.events.push([STREAM_READ, input, text.length << 4]);
    }
    this.run();
  }

  /** The client is gone. */
  end(input: number): void {
    this.reading.delete(input);
    this.events.push([STREAM_READ, input, 1]);
    this.run();
  }

  /** So much time passes, and a timer that runs is over. */
  sleep(ms: number): void {
    this.now += BigInt(ms) * 1_000_000n;
    if (this.timer) this.events.push([SUBTASK, this.timer, RETURNED]);
    this.run();
  }

  private open(): number {
    const handle = this.free.pop() ?? ++this.last;
    this.handles.set(handle, 0);
    this.peak = Math.max(this.peak, this.handles.size);
    if (this.handles.size > HOST_HANDLES_MAX) throw new Error("out of handles");
    return handle;
  }

  private drop(handle: number): void {
    if (this.handles.get(handle) !== 0) throw new Error(`${handle} is dropped, and is in a set or is none`);
    this.handles.delete(handle);
    this.free.push(handle);
  }

  private view(): DataView {
    return new DataView(this.exports.memory.buffer);
  }

  /** An ok with a handle, or a pair of handles. */
  private put(at: number, ...handles: number[]): void {
    for (const [i, handle] of handles.entries()) this.view().setInt32(at + 4 * i, handle, true);
  }

  private takeSocket(target: number): number {
    if (this.queue === 0) return 0;
    this.queue--;
    this.put(target, this.open());
    return 1;
  }

  private pair(): bigint {
    return BigInt(this.open()) | (BigInt(this.open()) << 32n);
  }

  private functions(): Functions {
    const nothing = (): void => {};
    const drop = (handle: number): void => this.drop(handle);
    const ok = (...values: number[]): void => this.view().setUint8(values.at(-1) as number, 0);
    return { ...this.loop(drop), ...this.sockets(nothing, drop, ok), ...this.filesystem(drop) };
  }

  private loop(drop: (handle: number) => void): Functions {
    const empty = (at: number): void => this.put(at, 8, 0);
    return {
      "[waitable-set-new]": () => this.open(),
      "[waitable-set-poll]": (_set, at) => {
        const [kind, ...rest] = this.events.shift() ?? [0, 0, 0];
        this.put(at, ...rest);
        return kind;
      },
      "[waitable-join]": (waitable, set) => this.handles.set(waitable, set),
      "[subtask-drop]": drop,
      "[subtask-cancel]": () => 4,
      now: (at) => (at === undefined ? this.now : this.view().setBigInt64(at, 0n, true)),
      "wait-until": () => ((this.timer = this.open()) << 4) | 1,
      "get-environment": empty,
      "get-arguments": empty,
    };
  }

  private sockets(nothing: () => void, drop: (handle: number) => void, ok: (...values: number[]) => void): Functions {
    return {
      "[static]tcp-socket.create": (_family, at) => this.put(at, 0, this.open()),
      "tcp-socket.bind": ok,
      "tcp-socket.set-listen-backlog-size": nothing,
      "tcp-socket.listen": (_socket, at) => this.put(at, 0, this.open()),
      "[stream-read-0]tcp-socket.listen": (stream, target) => {
        if (this.takeSocket(target)) return 1 << 4;
        this.accepting = [stream, target];
        return BLOCKED;
      },
      "tcp-socket.get-remote-address": ok,
      "[resource-drop]tcp-socket": drop,
      "tcp-socket.receive": (_socket, at) => {
        const input = this.open();
        this.inputs.push(input);
        this.answers.set(input, "");
        this.put(at, input, this.open());
      },
      "[stream-read-0]tcp-socket.receive": (stream, target) => {
        this.reading.set(stream, target);
        return BLOCKED;
      },
      "[stream-cancel-read-0]tcp-socket.receive": (stream) => {
        this.reading.delete(stream);
        return CANCELLED;
      },
      "[stream-drop-readable-0]tcp-socket.receive": drop,
      "[future-read-1]tcp-socket.receive": (_future, at) => {
        ok(at);
        return 0;
      },
      "[future-drop-readable-1]tcp-socket.receive": drop,
      "[stream-new-0]tcp-socket.send": () => {
        const pair = this.pair();
        this.outputs.set(Number(pair >> 32n), this.inputs.at(-1) as number);
        return pair;
      },
      "tcp-socket.send": (_socket, readable) => {
        this.drop(readable); // it is the host's from here on
        return this.open();
      },
      "[future-drop-readable-1]tcp-socket.send": drop,
      "[stream-write-0]tcp-socket.send": (stream, source, size) => {
        const input = this.outputs.get(stream) as number;
        if (this.answers.get(input)) return BLOCKED; // this client takes no more
        const n = Math.min(size, 4096);
        this.answers.set(input, Buffer.from(this.exports.memory.buffer, source, n).toString("latin1"));
        return n << 4;
      },
      "[stream-cancel-write-0]tcp-socket.send": () => CANCELLED,
      "[stream-drop-writable-0]tcp-socket.send": drop,
    };
  }

  private filesystem(drop: (handle: number) => void): Functions {
    const stat = (...values: number[]): void => {
      const at = values.at(-1) as number;
      new Uint8Array(this.exports.memory.buffer, at, 112).fill(0);
      this.view().setUint8(at + 8, 5); // a regular file
      this.view().setBigUint64(at + 32, 1n << 26n, true);
    };
    return {
      "get-directories": (at) => {
        const entry = this.exports.cabi_realloc(0, 0, 4, 12) as number;
        const name = this.exports.cabi_realloc(0, 0, 1, 7) as number;
        new TextEncoder().encodeInto("/static", new Uint8Array(this.exports.memory.buffer, name));
        this.put(entry, this.open(), name, 7);
        this.put(at, entry, 1);
      },
      "descriptor.stat-at": stat,
      "descriptor.stat": stat,
      "descriptor.open-at": (...values) => {
        this.files++;
        this.put(values.at(-1) as number, 0, this.open());
      },
      "descriptor.metadata-hash": (_file, at) => this.put(at, 0, 0, 1, 0, 1, 0),
      "descriptor.read-via-stream": (_file, _offset, at) => this.put(at, this.open(), this.open()),
      "[stream-read-0]descriptor.read-via-stream": (_stream, _target, size) => size << 4,
      "[stream-drop-readable-0]descriptor.read-via-stream": drop,
      "[future-drop-readable-1]descriptor.read-via-stream": drop,
      "[resource-drop]descriptor": (file) => {
        this.files--;
        this.drop(file);
      },
    };
  }
}

let module: WebAssembly.Module;
beforeAll(async () => {
  const base = path.resolve(import.meta.dirname, "../..");
  const source = path.join(base, "examples/sandboxed/web.ts");
  const out = path.join(base, "build/web.wasm");
  const job = { base, source, out, debug: false, target: TARGETS["component-async"] };
  const compiler = findPackage("assemblyscript", base) as InstalledPackage;
  const { files } = await compile(compiler, job, { write: () => true });
  module = new WebAssembly.Module(files.get(out) as Uint8Array<ArrayBuffer>);
}, 120_000);

test("as many connections as there are handles for, and the next one when one has left", () => {
  const host = new Host(module);
  const before = host.handles.size;
  host.connect(CONNECTIONS_MAX - 1);
  expect([host.inputs.length, host.queue]).toEqual([CONNECTIONS_MAX - 1, 0]);
  host.connect(1);
  expect([host.inputs.length, host.queue]).toEqual([CONNECTIONS_MAX, 0]);
  const full = host.handles.size;
  host.connect(3);
  for (let i = 0; i < 5; i++) host.sleep(200);
  expect([host.inputs.length, host.queue]).toEqual([CONNECTIONS_MAX, 2]); // the listener holds one, unopened
  expect(host.handles.size).toBeLessThanOrEqual(full + 2); // that one, and a timer
  host.end(host.inputs[7]);
  host.sleep(200);
  expect([host.inputs.length, host.queue]).toEqual([CONNECTIONS_MAX + 1, 2]);
  host.queue = 0;
  for (const input of host.inputs.splice(0)) if (host.handles.has(input)) host.end(input);
  expect(host.handles.size).toBeLessThan(before + 5);
});

test("beside all these connections as many files as there are handles for; the next one is a 503", () => {
  const host = new Host(module);
  host.connect(CONNECTIONS_MAX);
  const ask = (index: number): string => {
    host.send([host.inputs[index]], GET);
    return host.answers.get(host.inputs[index])?.split("\r\n")[0] as string;
  };
  for (let i = 0; i < FILES_MAX; i++) expect(ask(i)).toBe("HTTP/1.1 200 OK");
  expect(host.files).toBe(FILES_MAX);
  expect(ask(FILES_MAX)).toBe("HTTP/1.1 503 Service Unavailable");
  expect(host.files).toBe(FILES_MAX);
  expect(host.peak).toBeLessThan(HOST_HANDLES_MAX);
});

test("of requests that come together each takes one event, one read and one write, and all of them three looks at a clock", () => {
  const host = new Host(module);
  host.connect(64);
  host.calls.clear();
  host.send(host.inputs, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(Object.fromEntries(host.calls)).toEqual({
    now: 3, // when the turn begins and ends, and for Date
    "[waitable-set-poll]": 64,
    "[stream-read-0]tcp-socket.receive": 64,
    "[stream-write-0]tcp-socket.send": 64,
  });
});
