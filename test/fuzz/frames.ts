// A host that has gone mad: frames of every type, for ids that live, lived or never did, with payloads of every size,
// into core.wasm.
//
// Invariant tested: the sandbox goes on, or says in one line what is malformed and exits with 70. It never traps, and
// never ends otherwise.
import * as f from "../../host/bridge/frames.js";
import { FuzzClient } from "./client.js";
import type { Random } from "./random.js";
import { Exited, ScriptedWasi } from "./scriptedwasi.js";

const EXIT_MALFORMED = 70;
/** Of CONFIG: how much memory it may take, which stays the default, since without any there is no channel. */
const MEMORY_AT = 60;
const STEPS = 300;
/** By the kind that CONFIG names: 0 streams, 1 HTTP. */
const TYPES = [
  [
    ...[f.FRAME_READ_UNTIL, f.FRAME_READ_BYTES, f.FRAME_WRITE, f.FRAME_CLOSE],
    ...[f.FRAME_START_TLS, f.FRAME_READ_RAW, f.FRAME_FEED, f.FRAME_FEED_END],
  ],
  [
    ...[f.FRAME_RESPONSE, f.FRAME_RESPONSE, f.FRAME_RESPONSE_BODY, f.FRAME_RESPONSE_END, f.FRAME_BODY_CREDIT],
    ...[f.FRAME_CANCEL, f.FRAME_WS_ACCEPT, f.FRAME_WS_SEND, f.FRAME_WS_SEND_PING, f.FRAME_WS_CLOSE],
  ],
];
const SERVER_TYPES = [f.FRAME_ECHO, f.FRAME_STOP, f.FRAME_GET_STATS, f.FRAME_CLOSE_ALL];
/** A size that is right for frames which have one. */
const SIZE_OF = new Map([
  [f.FRAME_ECHO, 0],
  [f.FRAME_STOP, 8],
  [f.FRAME_GET_STATS, 0],
  [f.FRAME_CLOSE_ALL, 0],
  [f.FRAME_READ_UNTIL, 5],
  [f.FRAME_READ_BYTES, 8],
  [f.FRAME_CLOSE, 4],
  [f.FRAME_START_TLS, 0],
  [f.FRAME_READ_RAW, 4],
  [f.FRAME_FEED_END, 0],
  [f.FRAME_BODY_CREDIT, 4],
  [f.FRAME_CANCEL, 0],
]);
const SIZES = [0, 0, 4, 4, 8, 16, 20, 60];

export class FrameFuzz {
  readonly name = "frames into core";
  connections = 0;
  answers = 0;
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** One episode: a module of its own until it exits, or for so many steps. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    const wasi = new ScriptedWasi(this.#module, random);
    const clients: FuzzClient[] = [];
    const ids: number[] = [0, 1 << 18, 0xffffffff];
    try {
      wasi.turn();
      const kind = random.below(2);
      const rate = random.pick([2, 5, 20]);
      wasi.tell(config(kind, random));
      for (let step = 0; step < STEPS; step++) {
        if (clients.length < 6 && random.once(10)) {
          clients.push(new FuzzClient(this.connections++, wasi.connect(), random, ["/%"]));
        }
        // What a client gets is the host's affair here.
        if (clients.length > 0) random.pick(clients).send();
        wasi.pass(random.once(20) ? random.below(100_000) : random.below(20));
        if (wasi.turn() < 0) return;
        for (const id of idsOf(wasi.hear())) ids.push(id);
        if (ids.length > 40) ids.splice(3, ids.length - 40);
        if (random.once(rate)) wasi.tell(frame(kind, random, ids));
      }
    } catch (error) {
      if (!(error instanceof Exited) || error.status !== EXIT_MALFORMED) throw error;
      const lines = wasi.log.join("").split("\n");
      if (!/malformed/.test(lines.at(-2) ?? "")) throw new Error(`it exited without a word: ${lines}`);
      this.answers++;
    }
  }
}

function config(kind: number, random: Random): Buffer {
  const payload = Buffer.alloc(f.CONFIG_BYTES);
  payload.writeUInt16LE(f.PROTOCOL_VERSION);
  payload[2] = kind;
  payload[3] = random.once(5) ? 1 : 0;
  for (let at = 4; at < MEMORY_AT; at += 4) {
    if (random.once(6)) payload.writeUInt32LE(random.pick([1, 100, 65_536, 0x7fffffff, 0xffffffff]), at);
  }
  if (random.once(30)) payload[random.below(MEMORY_AT)] = random.below(256);
  return Buffer.concat([header(f.FRAME_CONFIG, 0, payload.length), payload, header(f.FRAME_ECHO, 0, 0)]);
}

function frame(kind: number, random: Random, ids: readonly number[]): Buffer {
  const types = random.once(10) ? SERVER_TYPES : (TYPES[kind] as number[]);
  const type = random.once(100) ? random.below(256) : random.pick(types);
  const id = random.once(3) ? random.pick(ids) : (ids.at(-1) as number);
  const payload = payloadOf(type, random);
  const size = random.once(200) ? random.below(1 << 24) : payload.length;
  return Buffer.concat([header(type, id, size), payload, header(f.FRAME_ECHO, 0, 0)]);
}

function payloadOf(type: number, random: Random): Buffer {
  if (random.once(60)) return random.bytes(random.once(20) ? random.below(f.FRAME_BYTES_MAX + 2) : random.below(100));
  if (type === f.FRAME_RESPONSE) return answer(random, f.RESPONSE_BYTES, 4);
  if (type === f.FRAME_WS_ACCEPT) return answer(random, 8, 6);
  const usual = random.once(20) ? undefined : SIZE_OF.get(type);
  const size = usual ?? (random.once(3) ? random.below(9000) : random.pick(SIZES));
  const payload = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) payload.writeUInt32LE(random.pick([0, 1, 1, 100, 4000, 1000_000]), at);
  return payload;
}

/** A head with rows that nearly always add up. */
function answer(random: Random, headBytes: number, rowsAt: number): Buffer {
  const rows = random.below(3);
  const names = Array.from({ length: rows }, () =>
    random.pick(["x-a", "date", "content-length", "a b", "upgrade", ""]),
  );
  const values = names.map(() => random.pick(["1", "a\r\nb", "", "x".repeat(300)]));
  const head = Buffer.alloc(headBytes);
  if (headBytes === f.RESPONSE_BYTES) {
    head.writeUInt16LE(random.pick([200, 200, 204, 304, 101, 999, 0, 65_535]));
    head[2] = random.below(4);
    head.writeBigInt64LE(random.pick([-1n, -1n, 0n, 5n, 1n << 40n, -(1n << 60n)]), 8);
  }
  head.writeUInt16LE(random.once(30) ? random.below(65_536) : rows, rowsAt);
  const sizes = Buffer.alloc(rows * 4);
  for (let row = 0; row < rows; row++) {
    sizes.writeUInt16LE((names[row] as string).length, row * 4);
    sizes.writeUInt16LE((values[row] as string).length, row * 4 + 2);
  }
  const text = names.map((name, row) => name + values[row]).join("");
  return Buffer.concat([head, sizes, Buffer.from(text), Buffer.alloc(random.pick([0, 5, 3000]), "b")]);
}

function header(type: number, id: number, size: number): Buffer {
  const bytes = Buffer.alloc(f.FRAME_HEADER_BYTES);
  bytes.writeUInt32LE(((type << 24) | (size & 0xffffff)) >>> 0);
  bytes.writeUInt32LE(id >>> 0, 4);
  return bytes;
}

/** The ids of frames that the module has written. */
function idsOf(bytes: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8 + (bytes.readUInt32LE(at) & 0xffffff))
    ids.push(bytes.readUInt32LE(at + 4));
  return ids.filter((id) => id !== 0);
}
