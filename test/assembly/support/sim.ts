// What the tests of streams and servers share: turns of the loop over the scripted network, and handlers that note what
// they are told. Each test runs in an instance of its own, so the loop and the network are new.
import { IOLoop } from "../../../assembly/loop/ioloop";
import { IOStream, StreamHandler } from "../../../assembly/stream/iostream";
import { Address } from "../../../assembly/core/address";
import { TCPServer } from "../../../assembly/server/tcpserver";
import { Peer, connect, network } from "../../../assembly/wasi/sim/net";

export const MS: i64 = 1_000_000;
/** More turns than any test needs without time passing: the loop spins. */
const TURNS_MAX: i32 = 20000;

/** One turn that does not wait; the nanoseconds that the loop wants to rest. */
export function turn(): i64 {
  return IOLoop.current().turn(0);
}

/** Turns until nothing is left to do at this moment. */
export function settle(): void {
  let turns = 0;
  while (turn() == 0) assert(++turns < TURNS_MAX, "the loop never rests");
}

/** Turns for that long. */
export function sleep(milliseconds: i64): void {
  const net = network();
  const end = net.clock + milliseconds * MS;
  for (let turns = 0; net.clock < end; turns++) {
    assert(turns < TURNS_MAX, "the loop spins");
    IOLoop.current().turn(end - net.clock);
  }
  settle();
}

/** Bytes as a string, a character a byte. */
export function text(source: usize, size: i32): string {
  const units = new StaticArray<u16>(size);
  for (let i = 0; i < size; i++) units[i] = load<u8>(source + usize(i));
  return String.UTF16.decodeUnsafe(changetype<usize>(units), usize(size) << 1);
}

/** A string's bytes, a byte a character; they stay as long as the array. */
export function bytes(text: string): StaticArray<u8> {
  const bytes = new StaticArray<u8>(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = u8(text.charCodeAt(i));
  return bytes;
}

/** `size` bytes that tell their place, so that a lost or doubled piece shows. */
export function pattern(size: i32): string {
  for (let line = patterned.length / 8; patterned.length < min(size, 8192); line++) {
    patterned += line.toString().padStart(7, "0") + "\n";
  }
  while (patterned.length < size) patterned += patterned;
  return patterned.substr(0, size);
}
let patterned: string = "";

export function write(stream: IOStream, text: string): bool {
  const source = bytes(text);
  return stream.write(changetype<usize>(source), text.length);
}

export function readUntil(stream: IOStream, delimiter: string, maxBytes: i32 = 1000): void {
  const source = bytes(delimiter);
  stream.readUntil(changetype<usize>(source), delimiter.length, maxBytes);
}

/** Notes what a stream says: `read(hello) failed(2) end close(1)`. */
export class Recorder extends StreamHandler {
  log: string = "";
  /** Called behind each note with its first word, when set. */
  reaction: ((seen: Recorder, event: string) => void) | null = null;
  /** How much of what consume() shows is taken at once. */
  appetite: i32 = i32.MAX_VALUE;
  /**
   * A handler's call is on the stack: none may come from inside another, except onReadFailed of a read that it began.
   */
  private inside: i32 = 0;
  private closes: i32 = 0;

  constructor(readonly stream: IOStream) {
    super();
  }

  private note(event: string, detail: string | null): void {
    assert(!this.closes, event + " after close");
    assert(!this.inside || event == "failed" || event == "read", event + " from inside another call");
    this.log += (this.log.length ? " " : "") + event + (detail != null ? "(" + detail + ")" : "");
    this.inside++;
    if (event == "close") this.closes++;
    const reaction = this.reaction;
    if (reaction) reaction(this, event);
    this.inside--;
  }

  onRead(stream: IOStream, source: usize, size: i32): void {
    this.note("read", text(source, size));
  }
  onReadFailed(stream: IOStream, reason: i32): void {
    this.note("failed", reason.toString());
  }
  onBytes(stream: IOStream, source: usize, size: i32): i32 {
    const taken = min(size, this.appetite);
    this.note("bytes", text(source, taken));
    return taken;
  }
  onEnd(stream: IOStream): void {
    this.note("end", null);
  }
  onSent(stream: IOStream): void {
    this.note("sent", null);
  }
  onTimeout(stream: IOStream): void {
    this.note("timeout", null);
  }
  onClose(stream: IOStream, reason: i32): void {
    this.note("close", reason.toString());
  }

  /** What was noted since the last time. */
  take(): string {
    const log = this.log;
    this.log = "";
    return log;
  }
}

/** Serves each connection with a Recorder. */
export class RecordingServer extends TCPServer {
  readonly seen: Array<Recorder> = [];
  /** Called for each new connection, when set. */
  greeting: ((seen: Recorder) => void) | null = null;

  handleStream(stream: IOStream, address: Address | null): void {
    const recorder = new Recorder(stream);
    stream.setHandler(recorder);
    this.seen.push(recorder);
    const greeting = this.greeting;
    if (greeting) greeting(recorder);
  }
}

export const server: RecordingServer = new RecordingServer();

/** Begins to listen; once a test. */
export function listen(): void {
  server.listen();
  settle();
}

/** A new connection that has been accepted: the last of server.seen is its handler. */
export function accepted(): Peer {
  const peer = connect();
  settle();
  return peer;
}

/** The handler of the newest connection. */
export function newest(): Recorder {
  return server.seen[server.seen.length - 1];
}
