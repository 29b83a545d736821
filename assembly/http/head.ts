// HTTP1Head: reads the heads of a connection's requests, in however many pieces they come, and enforces the server's
// limits. Invariant: a head that comes in one piece, the usual case, is parsed into a state that all connections share;
// only one that comes in pieces owns memory, until it is complete or dropped. Reference: RFC 9112 2 and 3.

import { SP } from "../bytes/scan";
import { BODY, STREAM, hasMemory, releaseBlock, takeBlock } from "../bytes/buffer";
import { EMPTY_LINES_BYTES_MAX, FIELDS_MAX, TARGET_BYTES_MAX } from "../core/limits";
import { checkHead } from "../protocol/http/framing";
import { PARTIAL, headReset, parseHead, skipEmptyLines, targetSize } from "../protocol/http/head";
import { BODY_CHUNKED, BODY_LENGTH, ROW_BYTES, TABLE, bodyKind, contentLength } from "../protocol/http/headstate";
import { Refusal } from "../protocol/http/refusal";
import { isTooLarge } from "./body";
import { HTTP1ConnectionParameters } from "./parameters";

const STATE_BYTES: i32 = i32(TABLE) + FIELDS_MAX * i32(ROW_BYTES);
const shared: usize = memory.data(STATE_BYTES, 16);


@final
export class HTTP1Head {
  /** The method of the head that is incomplete, or was refused, is HEAD: its answer has no body. */
  isHeadMethod: bool = false;
  /** Bytes of empty lines before the head. */
  emptyBytes: i32 = 0;
  private kept: usize = 0; // the state of a head that has come in part, 0: none has

  constructor(private parameters: HTTP1ConnectionParameters) {}

  /** Part of a head has come. */
  get begun(): bool {
    return this.kept != 0;
  }

  /** What the parser found, see protocol/http/headstate.ts. */
  get state(): usize {
    return this.kept ? this.kept : shared;
  }

  /**
   * Bytes of the empty lines at the start; -1: there may be more of them, so more must come; more than `size`: there
   * are too many.
   */
  skipEmpty(source: usize, size: i32): i32 {
    const empty = skipEmptyLines(source, size);
    if (empty > 0) this.emptyBytes += empty;
    return this.emptyBytes > EMPTY_LINES_BYTES_MAX ? size + 1 : empty;
  }

  /** Looks at all bytes that have come. Returns the size of a complete head, 0: more must come, or a Refusal. */
  read(source: usize, size: i32): i32 {
    if (!this.kept) headReset(shared);
    const n = parseHead(this.state, source, size, FIELDS_MAX);
    const result = n == PARTIAL ? this.keep(size) : n < 0 ? n : this.check(source, n);
    if (result <= 0) this.isHeadMethod = isHead(source, size);
    return result;
  }

  /** `size`, or why a complete head is refused. */
  private check(source: usize, size: i32): i32 {
    const head = this.state;
    if (size > this.parameters.headBytesMax) return Refusal.HEAD_TOO_LARGE;
    if (targetSize(head) > TARGET_BYTES_MAX) return Refusal.TARGET_TOO_LONG;
    const parameters = this.parameters;
    const refusal = checkHead(head, source, parameters.connects, parameters.asNode);
    // An expectation is looked at last.
    if (refusal && !(refusal == Refusal.EXPECTATION && parameters.asNode)) return refusal;
    const kind = bodyKind(head);
    const length = contentLength(head);
    if (kind == BODY_LENGTH && isTooLarge(length, this.parameters)) return Refusal.BODY_TOO_LARGE;
    const hasBody = kind == BODY_CHUNKED || length > 0;
    return hasMemory(hasBody ? BODY : STREAM) ? size : Refusal.MEMORY_SHORT;
  }

  /** Keeps the state of a head that has come in part. 0, or a Refusal. */
  private keep(size: i32): i32 {
    if (targetSize(this.state) > TARGET_BYTES_MAX) return Refusal.TARGET_TOO_LONG;
    if (size > this.parameters.headBytesMax) return Refusal.HEAD_TOO_LARGE;
    if (this.kept) return 0;
    this.kept = takeBlock(STATE_BYTES);
    if (!this.kept) return Refusal.MEMORY_SHORT;
    memory.copy(this.kept, shared, usize(STATE_BYTES));
    return 0;
  }

  /** The head has been used, or its connection is over. */
  drop(): void {
    if (this.kept) releaseBlock(this.kept, STATE_BYTES);
    this.kept = 0;
  }
}

const HEAD_METHOD: u32 = 0x44414548;

/** Whether a request that begins so is a HEAD. */
function isHead(source: usize, size: i32): bool {
  return size > 4 && load<u32>(source) == HEAD_METHOD && load<u8>(source, 4) == SP;
}
