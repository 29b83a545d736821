/**
 * Lines on their way to a stream that another process reads: stderr as a rule.
 *
 * Invariants: no caller waits for the reader, and the bytes that wait for it are bounded. A line that does not fit is
 * dropped and counted, and the next one that fits is preceded by how many were. Lines keep their order. A reader that
 * has gone costs the lines and nothing else.
 */
import { LOG_BUFFER_BYTES_MAX } from "./limits.js";

/** The part of a stream that is used. */
export interface LineStream {
  readonly writableLength: number;
  write(text: string): unknown;
  on(event: "error", listener: () => void): unknown;
}

export class LineWriter {
  readonly #open: () => LineStream;
  #stream: LineStream | null = null;
  /** What leaves at the end of this turn. */
  #gathered = "";
  /** What may be gathered until the stream is asked again how much waits in it. */
  #room = 0;
  #dropped = 0;
  #scheduled = false;
  #gone = false;

  /** `open` is called for the first line: Node's standard streams cost something to be made. */
  constructor(open: () => LineStream) {
    this.#open = open;
  }

  /** Writes `line`, which ends with a line break, together with others of this turn. */
  gather(line: string): void {
    if (!this.#take(line) || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  /** Writes `line` now, behind what has been gathered. */
  write(line: string): void {
    if (this.#take(line)) this.flush();
  }

  /** Writes what has been gathered. */
  flush(): void {
    this.#scheduled = false;
    const text = this.#gathered;
    if (text === "") return;
    this.#gathered = "";
    this.#stream?.write(text);
    this.#measure();
  }

  #take(line: string): boolean {
    if (this.#stream === null) this.#begin();
    if (line.length > this.#room) this.#measure();
    if (line.length > this.#room || this.#gone) {
      this.#dropped++;
      return false;
    }
    if (this.#dropped > 0) {
      this.#gathered += `waterspout: warning: ${this.#dropped} lines were dropped: the log is read too slowly\n`;
      this.#dropped = 0;
    }
    this.#room -= line.length;
    this.#gathered += line;
    return true;
  }

  #begin(): void {
    this.#stream = this.#open();
    this.#stream.on("error", () => {
      this.#gone = true;
    });
    process.once("exit", () => this.flush());
  }

  /** Characters are counted: with few exceptions lines are ASCII. */
  #measure(): void {
    const waiting = this.#stream?.writableLength ?? 0;
    this.#room = LOG_BUFFER_BYTES_MAX - waiting - this.#gathered.length;
  }
}

/** Everything that waterspout itself says on stderr. */
export const stderrLines = new LineWriter(() => process.stderr);
