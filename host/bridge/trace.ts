/**
 * `WATERSPOUT_TRACE=frames`: each frame between host and sandbox as one line on stderr, for debugging.
 *
 *     waterspout: trace: worker 4711.1 in REQUEST 262145 57 bytes
 *
 * Invariants: without the variable the bridge has its plain reader and writer, so tracing costs nothing then. A frame
 * from the sandbox is shown before the bridge acts on it, a frame for the sandbox when the channel takes it.
 * Reference: docs/debugging.md, docs/protocol.md.
 */
import { OptionError } from "../core/errors.js";
import { TRACE_BYTES_MAX } from "../core/limits.js";
import { stderrLines } from "../core/linewriter.js";
import { FRAME_NAMES } from "./framenumbers.js";
import { FrameReader, type FrameSink } from "./framereader.js";
import { FrameWriter } from "./framewriter.js";

const LEVELS = ["frames", "frames+data"];

/** Bridges that this process has traced. */
let traced = 0;

/** A tracer for the next worker; null when `WATERSPOUT_TRACE` is not set. Throws OptionError for an unknown value. */
export function frameTrace(level: string | undefined = process.env.WATERSPOUT_TRACE): FrameTrace | null {
  if (level === undefined || level === "") return null;
  if (!LEVELS.includes(level)) {
    throw new OptionError(`WATERSPOUT_TRACE is ${LEVELS.join(" or ")}, not ${JSON.stringify(level)}`);
  }
  return new FrameTrace(`${process.pid}.${++traced}`, level === "frames+data");
}

export class FrameTrace {
  readonly #worker: string;
  readonly #withData: boolean;

  /** `worker` is shown in each line. */
  constructor(worker: string, withData: boolean) {
    this.#worker = worker;
    this.#withData = withData;
  }

  /** A writer that shows each frame as it leaves. */
  writer(): FrameWriter {
    return new TracedWriter(new FrameReader({ frame: (...frame) => this.#show("out", ...frame) }));
  }

  /** A sink that shows each frame and hands it on to `sink`. */
  sink(sink: FrameSink): FrameSink {
    return {
      frame: (...frame) => {
        this.#show("in", ...frame);
        sink.frame(...frame);
      },
    };
  }

  #show(direction: "in" | "out", ...[type, id, chunk, start, end]: Parameters<FrameSink["frame"]>): void {
    const name = FRAME_NAMES.get(type) ?? `0x${type.toString(16)}`;
    const data = this.#withData && end > start ? ` ${shown(chunk.subarray(start, end))}` : "";
    stderrLines.gather(
      `waterspout: trace: worker ${this.#worker} ${direction} ${name} ${id} ${end - start} bytes${data}\n`,
    );
  }
}

/** A FrameWriter that gives a copy of what leaves to a reader of frames. */
class TracedWriter extends FrameWriter {
  readonly #reader: FrameReader;

  constructor(reader: FrameReader) {
    super();
    this.#reader = reader;
  }

  override copyTo(target: Uint8Array, at: number, size: number): number {
    const taken = super.copyTo(target, at, size);
    this.#reader.push(Buffer.from(target.subarray(at, at + taken)));
    return taken;
  }

  override drain(take: (block: Buffer, start: number, end: number) => boolean): void {
    super.drain((block, start, end) => {
      this.#reader.push(block.subarray(start, end));
      return take(block, start, end);
    });
  }

  override clear(): void {
    super.drain(() => true); // it does not leave
  }
}

/** Bytes in quotes: ASCII as it is, all else as `\xNN`. */
function shown(payload: Buffer): string {
  const rest = payload.length - TRACE_BYTES_MAX;
  const text = payload
    .toString("latin1", 0, TRACE_BYTES_MAX)
    .replace(/[^ -~]|["\\]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${text}"${rest > 0 ? ` and ${rest} more` : ""}`;
}
