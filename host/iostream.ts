/**
 * Tornado's IOStream for user code: promises in front of a stream that lives in the sandbox. The host never scans what a
 * peer sent; `readUntil` is carried out there.
 *
 * Invariants: at most one read is pending, and nothing is accepted that it did not ask for; a closed stream settles every
 * promise; the close callback is called once, after them.
 */
import type { Bridge, Endpoint } from "./bridge.js";
import { ByteQueue, piece } from "./bytequeue.js";
import {
  AlreadyReadingError,
  OptionError,
  ProtocolError,
  type Reason,
  readError,
  reasonName,
  StreamBufferFullError,
  StreamClosedError,
} from "./errors.js";
import {
  FRAME_CLOSE,
  FRAME_CLOSED,
  FRAME_DATA,
  FRAME_DATA_END,
  FRAME_END,
  FRAME_READ_BYTES,
  FRAME_READ_FAILED,
  FRAME_READ_UNTIL,
  FRAME_SENT,
  FRAME_WRITE,
  put32,
} from "./frames.js";
import { DELIMITER_BYTES_MAX, READ_CHUNK_BYTES, READ_UNTIL_BYTES_MAX } from "./limits.js";
import { type Data, Outflow, toBytes } from "./outflow.js";

const UINT32_MAX = 0xffffffff;
const AFTER_WRITES = 0;
const AT_ONCE = 1;

interface Read {
  /** Most bytes that may come. */
  max: number;
  /** Fewest bytes that may come. */
  min: number;
  delimiter: Uint8Array | null;
  parts: ByteQueue | null;
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

export class IOStream implements Endpoint, AsyncIterable<Buffer> {
  readonly #bridge: Bridge;
  readonly #id: number;
  readonly #outflow: Outflow;
  #handler: ((stream: IOStream) => void) | null;
  #read: Read | null = null;
  #closeCallback: (() => void) | null = null;
  /** Why it is closed, once it is. */
  #reason: Reason | null = null;
  #peerEnded = false;
  /** CLOSE has been sent, or CLOSED has come: the sandbox takes no more frames for it. */
  #ended = false;

  /** @internal */
  constructor(bridge: Bridge, id: number, handler: (stream: IOStream) => void) {
    this.#bridge = bridge;
    this.#id = id;
    this.#handler = handler;
    this.#outflow = new Outflow(bridge.options.writeWindow, (source, start, end, last) => {
      if (end > start) bridge.writer.bytes(FRAME_WRITE, id, source, start, end);
      if (last) this.#sendClose(AFTER_WRITES);
      bridge.written();
    });
  }

  /** Whether the stream is closed, by either side. */
  get closed(): boolean {
    return this.#reason !== null;
  }

  /** Whether the peer has ended its side and everything that it sent has been read. Writing may still work. */
  get ended(): boolean {
    return this.#peerEnded;
  }

  /** Calls `callback` once when the stream is closed, after its pending promises; soon if it is closed already. Null removes it. */
  setCloseCallback(callback: (() => void) | null): void {
    this.#closeCallback = callback;
    if (this.closed) this.#announceClose();
  }

  // --- reading ---

  /**
   * Reads up to and including `delimiter` (1 to 256 bytes).
   *
   * Rejects with UnsatisfiableReadError when the delimiter does not end within `maxBytes` (default 64 KiB), with
   * StreamClosedError when the peer ended before it, and with AlreadyReadingError while another read is pending.
   */
  readUntil(delimiter: Data, maxBytes: number = READ_UNTIL_BYTES_MAX): Promise<Buffer> {
    const bytes = toBytes(delimiter);
    if (bytes.length === 0 || bytes.length > DELIMITER_BYTES_MAX) {
      throw new OptionError(`a delimiter has 1 to ${DELIMITER_BYTES_MAX} bytes, not ${bytes.length}`);
    }
    checkSize("maxBytes", maxBytes, 1);
    return this.#start(Math.min(bytes.length, maxBytes), maxBytes, bytes.slice(), () => {
      const { writer } = this.#bridge;
      const at = writer.open(FRAME_READ_UNTIL, this.#id, 4 + bytes.length);
      put32(writer.buffer, at, maxBytes);
      writer.buffer.set(bytes, at + 4);
    });
  }

  /**
   * Reads `bytes` bytes, or with `partial` whatever there is, at least 1 and at most `bytes`.
   *
   * Rejects with StreamClosedError when the peer ended before that, and with AlreadyReadingError while another read is pending.
   */
  readBytes(bytes: number, options: { partial?: boolean } = {}): Promise<Buffer> {
    checkSize("bytes", bytes, 0);
    if (bytes === 0) return Promise.resolve(Buffer.alloc(0));
    const partial = options.partial === true;
    return this.#start(partial ? 1 : bytes, bytes, null, () => {
      this.#bridge.writer.numbers(FRAME_READ_BYTES, this.#id, bytes, partial ? 1 : 0);
    });
  }

  /**
   * Reads until the peer ends its side, and returns all of it. Writing still works after that.
   *
   * Rejects with StreamBufferFullError when it is more than `maxBytes` (default 16 MiB), and with StreamClosedError when
   * the connection broke instead of ending.
   */
  async readUntilClose(maxBytes: number = 16 << 20): Promise<Buffer> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of this) {
      bytes += part.length;
      if (bytes > maxBytes) throw new StreamBufferFullError(`the peer sent more than ${maxBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts, bytes);
  }

  /** Yields what comes, in pieces of at most 64 KiB, until the peer ends its side. Throws when the connection breaks. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (true) {
      let part: Buffer;
      try {
        part = await this.readBytes(READ_CHUNK_BYTES, { partial: true });
      } catch (error) {
        if (error instanceof StreamClosedError && error.reason === "END") return;
        throw error;
      }
      yield part;
    }
  }

  #start(min: number, max: number, delimiter: Uint8Array | null, send: () => void): Promise<Buffer> {
    if (this.#reason !== null) return Promise.reject(new StreamClosedError(this.#reason));
    if (this.#read !== null) return Promise.reject(new AlreadyReadingError());
    send();
    this.#bridge.written();
    return new Promise((resolve, reject) => {
      this.#read = { max, min, delimiter, parts: null, resolve, reject };
    });
  }

  // --- writing ---

  /**
   * Sends `data` (text as UTF-8). Several writes may be pending; they go out in order.
   *
   * Resolves when all of `data` has been given to the peer's connection, so awaiting it is the back-pressure. Rejects with
   * StreamClosedError when it never will be; nobody has to listen for that.
   */
  write(data: Data): Promise<void> {
    const bytes = toBytes(data);
    if (this.#reason !== null) {
      const rejected = Promise.reject(new StreamClosedError(this.#reason));
      rejected.catch(() => {});
      return rejected;
    }
    this.#outflow.push(bytes);
    return this.#outflow.done();
  }

  /** Closes the stream once everything written has been sent. A pending read gets StreamClosedError. May be called again. */
  close(): void {
    if (this.#reason !== null) return;
    this.#reason = "CLOSED";
    this.#settleRead("CLOSED");
    this.#outflow.end();
    this.#announceClose();
  }

  /** Closes the stream at once; what was written and not sent is lost. */
  abort(): void {
    if (this.#ended) return;
    this.#reason ??= "CLOSED";
    this.#outflow.fail(new StreamClosedError("CLOSED"));
    this.#sendClose(AT_ONCE);
    this.#bridge.written();
    this.#settleRead("CLOSED");
    this.#announceClose();
  }

  #sendClose(how: number): void {
    this.#ended = true;
    this.#bridge.writer.number(FRAME_CLOSE, this.#id, how);
  }

  // --- frames ---

  /** @internal */
  run(): void {
    const handler = this.#handler;
    this.#handler = null;
    handler?.(this);
  }

  /** @internal */
  receive(type: number, chunk: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME_DATA_END:
        return this.#takeData(chunk, start, end, true);
      case FRAME_DATA:
        return this.#takeData(chunk, start, end, false);
      case FRAME_SENT:
        if (end - start !== 4) throw new ProtocolError("SENT");
        return this.#outflow.sent(chunk.readUInt32LE(start));
      case FRAME_READ_FAILED:
        if (this.#read === null && !this.closed) throw new ProtocolError("READ_FAILED without a read");
        return this.#settleRead(takeReason(chunk, start, end));
      case FRAME_END:
        if (start !== end || this.#peerEnded) throw new ProtocolError("END");
        this.#peerEnded = true;
        return;
      case FRAME_CLOSED:
        return this.#takeClosed(takeReason(chunk, start, end));
      default:
        throw new ProtocolError(`type 0x${type.toString(16)} for a stream`);
    }
  }

  /** @internal */
  lost(): void {
    this.#finish("WORKER");
  }

  #takeData(chunk: Buffer, start: number, end: number, last: boolean): void {
    const read = this.#read;
    if (read === null) {
      if (this.closed) return; // it crossed with close()
      throw new ProtocolError("DATA without a read");
    }
    const bytes = end - start;
    const total = (read.parts?.length ?? 0) + bytes;
    if (bytes === 0 || total > read.max || (last && total < read.min))
      throw new ProtocolError(`DATA of ${bytes} bytes`);
    if (!last || read.parts !== null) {
      read.parts ??= new ByteQueue();
      read.parts.push(chunk, start, end);
      if (!last) return;
    }
    const result = read.parts === null ? piece(chunk, start, end) : read.parts.all();
    if (read.delimiter !== null && !result.subarray(-read.delimiter.length).equals(read.delimiter)) {
      throw new ProtocolError("DATA_END without the delimiter");
    }
    this.#read = null;
    read.resolve(result);
  }

  #takeClosed(reason: Reason): void {
    this.#bridge.forget(this.#id);
    this.#finish(reason);
  }

  #finish(reason: Reason): void {
    this.#ended = true;
    const first = this.#reason === null;
    this.#reason ??= reason;
    this.#settleRead(reason);
    if (reason === "CLOSED") this.#outflow.settle();
    this.#outflow.fail(new StreamClosedError(reason));
    if (first) this.#announceClose();
  }

  #settleRead(reason: Reason): void {
    const read = this.#read;
    this.#read = null;
    read?.reject(readError(reason));
  }

  #announceClose(): void {
    const callback = this.#closeCallback;
    this.#closeCallback = null;
    if (callback === null) return;
    setImmediate(() => {
      try {
        callback();
      } catch (error) {
        this.#bridge.options.logger.error({ err: error }, "a close callback failed");
      }
    });
  }
}

function takeReason(chunk: Buffer, start: number, end: number): Reason {
  const reason = end - start === 2 ? reasonName(chunk.readUInt16LE(start)) : undefined;
  if (reason === undefined) throw new ProtocolError("an unknown reason");
  return reason;
}

function checkSize(name: string, value: number, min: number): void {
  if (!Number.isInteger(value) || value < min || value > UINT32_MAX) {
    throw new OptionError(`${name} must be a whole number from ${min} to ${UINT32_MAX}, not ${String(value)}`);
  }
}
