/**
 * Lines on their way to a stream that another process reads: stderr as a rule.
 *
 * Invariants: no caller waits for the reader, and the bytes that wait for it are bounded. A line that does not fit is
 * dropped and counted, and the next one that fits is preceded by how many were. Lines keep their order. A reader that
 * has gone costs the lines and nothing else.
 *
 * A write costs as much as some twenty lines. So the first lines leave at the end of their turn, and those that follow
 * closely wait for each other: LOG_REST_MS at most, or until they are LOG_WRITE_BYTES.
 */
import { LOG_BUFFER_BYTES_MAX, LOG_REST_MS, LOG_WRITE_BYTES } from "./limits.js";

/** The part of a stream that is used. */
export interface LineStream {
  readonly writableLength: number;
  write(data: Uint8Array | string): unknown;
  on(event: "error", listener: () => void): unknown;
}

const UTF8_BYTES_MAX = 3;

export class LineWriter {
  readonly #open: () => LineStream;
  #stream: LineStream | null = null;
  /** What leaves with the next write: `reserve` says where a line may be put. */
  block = Buffer.alloc(0);
  #length = 0;
  /** What may be gathered until the stream is asked again how much waits in it. */
  #room = 0;
  #dropped = 0;
  /** `#due` will be called. */
  #scheduled = false;
  #gone = false;
  readonly #due = () => {
    this.#scheduled = false;
    this.flush();
  };

  /** `open` is called for the first line: Node's standard streams cost something to be made. */
  constructor(open: () => LineStream) {
    this.#open = open;
  }

  /** Writes `line`, which ends with a line break, together with others, and within LOG_REST_MS. */
  gather(line: string): void {
    if (this.#put(line)) this.#schedule();
  }

  /** Writes `line` now, behind what has been gathered. */
  write(line: string): void {
    if (this.#put(line)) this.flush();
  }

  /**
   * Makes room for a line of at most `bytesMax` bytes in `block`. Returns where it
   * goes; -1: it is dropped. `gathered` follows at once.
   */
  reserve(bytesMax: number): number {
    return this.#hasRoom(bytesMax) ? this.#reserve(bytesMax) : -1;
  }

  /** A line has been put into `block` and ends at `end`. */
  gathered(end: number): void {
    this.#take(end);
    this.#schedule();
  }

  /** Writes what has been gathered. */
  flush(): void {
    if (this.#length === 0) return;
    // A copy: a stream keeps what it cannot write at once, and so may a function that stands in for `write`.
    this.#stream?.write(Buffer.from(this.block.subarray(0, this.#length)));
    this.#length = 0;
    this.#measure();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(this.#due, LOG_REST_MS).unref(); // what is left when the process exits is written then
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#due);
  }

  /** Returns whether it was not dropped. */
  #put(line: string): boolean {
    if (!this.#hasRoom(line.length)) return false;
    const bytesMax = line.length * UTF8_BYTES_MAX;
    if (bytesMax > LOG_WRITE_BYTES) {
      this.flush();
      this.#stream?.write(line);
      this.#measure();
    } else {
      const at = this.#reserve(bytesMax);
      this.#take(at + this.block.write(line, at));
    }
    return true;
  }

  #reserve(bytesMax: number): number {
    if (this.#length + bytesMax > LOG_WRITE_BYTES) this.flush();
    return this.#length;
  }

  #take(end: number): void {
    this.#room -= end - this.#length;
    this.#length = end;
  }

  /** Whether a line of so many bytes fits; if not, it is counted as dropped. */
  #hasRoom(bytes: number): boolean {
    if (this.#stream === null) this.#begin();
    if (bytes > this.#room) this.#measure();
    if (bytes > this.#room || this.#gone) {
      this.#dropped++;
      return false;
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#put(`waterspout: warning: ${dropped} lines were dropped: the log is read too slowly\n`);
    return true;
  }

  #begin(): void {
    this.block = Buffer.allocUnsafeSlow(LOG_WRITE_BYTES);
    this.#stream = this.#open();
    this.#stream.on("error", () => {
      this.#gone = true;
    });
    process.once("exit", () => this.flush());
  }

  /** Characters are counted: with few exceptions lines are ASCII. */
  #measure(): void {
    const waiting = this.#stream?.writableLength ?? 0;
    this.#room = LOG_BUFFER_BYTES_MAX - waiting - this.#length;
  }
}

/** Everything that waterspout itself says on stderr. */
export const stderrLines = new LineWriter(() => process.stderr);
