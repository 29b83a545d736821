// IncomingHead: the head of a request that comes by wasi:http, in the form in which HTTPServerRequest reads heads. The
// runtime has parsed it; here its parts are put side by side, and the same function as for HTTP/1 decides what they
// mean.
//
// Invariant: a head that is larger than the server's limits is refused, as HTTP1Head does. A space follows each part,
// since the functions that look at them rely on such an end.
// Reference: protocol/http/headstate.ts; wasi:http 0.2.0, incoming-request; 0.3.0, request.

import { isText } from "../bytes/scan";
import { Buffer } from "../bytes/buffer";
import { FIELDS_MAX, TARGET_BYTES_MAX } from "../core/limits";
import { checkHead } from "../protocol/http/framing";
import {
  CONTENT_LENGTH_FIELD,
  EXPECT_FIELD,
  HOST_FIELD,
  KNOWN,
  DUPLICATES,
  METHOD_SIZE,
  MINOR,
  ROWS,
  ROW_BYTES,
  TABLE,
  TARGET_OFFSET,
  TARGET_SIZE,
  TRANSFER_ENCODING_FIELD,
  UPGRADE,
  beginFields,
  headBytes,
  knownRow,
} from "../protocol/http/headstate";
import { Refusal } from "../protocol/http/refusal";
import { OVER_HTTP } from "../wasi/build";
import { METHOD_OTHER_CASE } from "../wasi/http/imports";
import * as found from "../wasi/http/found";
import * as exchange from "../wasi/exchanges";
import { HTTP1ConnectionParameters } from "./parameters";

// Texts stand in functions, so that other targets do not have them.
/** The cases of wasi:http's `method`, in their order. */
function methodText(method: i32): string {
  switch (method) {
    case 0:
      return "GET";
    case 1:
      return "HEAD";
    case 2:
      return "POST";
    case 3:
      return "PUT";
    case 4:
      return "DELETE";
    case 5:
      return "CONNECT";
    case 6:
      return "OPTIONS";
    case 7:
      return "TRACE";
    default:
      return "PATCH";
  }
}

/** Which of those that matter it is, -1: none. */
function knownField(at: usize, size: usize): i32 {
  if (isText(at, size, changetype<usize>("host"))) return HOST_FIELD;
  if (isText(at, size, changetype<usize>("content-length"))) return CONTENT_LENGTH_FIELD;
  if (isText(at, size, changetype<usize>("transfer-encoding"))) return TRANSFER_ENCODING_FIELD;
  return isText(at, size, changetype<usize>("expect")) ? EXPECT_FIELD : -1;
}

const SP: u8 = 0x20;
/** For addText. */
const word: usize = OVER_HTTP ? memory.data(8) : 0;
/** For a usual head. */
const ROOM: i32 = 1024;


@final
export class IncomingHead {
  /** What is known of it: protocol/http/headstate.ts. */
  readonly state: usize = heap.alloc(headBytes(FIELDS_MAX));
  private texts: Buffer = new Buffer();
  private rows: i32 = 0;
  private refusal: i32 = 0;

  /** `handle` is the exchange that it reads heads of. */
  constructor(
    private parameters: HTTP1ConnectionParameters,
    private handle: i32,
  ) {}

  /** Where its texts are. */
  get source(): usize {
    return this.texts.source;
  }
  get size(): i32 {
    return this.texts.size;
  }

  /** Gives the memory back. */
  drop(): void {
    this.texts.clear();
  }

  /** The client has said how long the body is. */
  get hasLength(): bool {
    return knownRow(this.state, CONTENT_LENGTH_FIELD) >= 0;
  }

  /** 0, or the Refusal. */
  read(): i32 {
    const state = this.state;
    memory.fill(state, 0, TABLE);
    beginFields(state, 1);
    this.rows = 0;
    this.refusal = this.texts.reserve(ROOM) ? 0 : Refusal.MEMORY_SHORT;
    this.readLine();
    if (exchange.readAuthority(this.handle)) this.addField("host");
    this.readFields();
    store<i32>(state, this.rows, ROWS);
    if (this.refusal) return this.refusal;
    // wasmtime 49 does not tell a component of 0.3 which host is asked for. HTTP/1.0 is without one, too.
    if (knownRow(state, HOST_FIELD) < 0) store<i32>(state, 0, MINOR);
    const result = checkHead(state, this.source);
    store<u8>(state, 0, UPGRADE); // the connection is the runtime's
    return result;
  }

  /** What HTTP/1 has in the request line. */
  private readLine(): void {
    const method = exchange.readMethod(this.handle);
    if (method < METHOD_OTHER_CASE) this.addText(methodText(method));
    else this.addFound();
    store<i32>(this.state, this.size - 1, METHOD_SIZE);
    const at = this.size;
    if (!exchange.readTarget(this.handle)) this.addText("/");
    else {
      if (found.size > TARGET_BYTES_MAX) this.refuse(Refusal.TARGET_TOO_LONG);
      this.addFound();
    }
    store<i32>(this.state, at, TARGET_OFFSET);
    store<i32>(this.state, this.size - at - 1, TARGET_SIZE);
  }

  private readFields(): void {
    const hasHost = this.rows != 0;
    exchange.readFields(this.handle);
    const list = found.at;
    const count = found.size;
    for (let i = 0; i < count && !this.refusal; i++) {
      found.findName(list, i);
      if (hasHost && knownField(found.at, found.size) == HOST_FIELD) continue;
      const name = this.size;
      this.add(found.at, found.size);
      const value = this.size;
      found.findValue(list, i);
      this.add(found.at, found.size);
      this.addRow(name, value);
    }
    found.releaseFields(list, count);
  }

  /** A field whose value is the text that was found. */
  private addField(name: string): void {
    const at = this.size;
    this.addText(name);
    const value = this.size;
    this.addFound();
    this.addRow(at, value);
  }

  /** The value is the last part. */
  private addRow(name: i32, value: i32): void {
    if (this.rows == FIELDS_MAX) this.refuse(Refusal.TOO_MANY_FIELDS);
    if (this.refusal) return;
    const row = this.state + TABLE + usize(this.rows++) * ROW_BYTES;
    const nameSize = value - name - 1;
    store<i32>(row, name);
    store<i32>(row, nameSize, 4);
    store<i32>(row, value, 8);
    store<i32>(row, this.size - value - 1, 12);
    const field = knownField(this.source + usize(name), nameSize);
    if (field >= 0) this.noteKnown(field);
  }

  /** The last row is a field with this name. */
  private noteKnown(field: i32): void {
    const place = this.state + KNOWN + (usize(field) << 2);
    if (load<i32>(place)) store<u32>(this.state, load<u32>(this.state, DUPLICATES) | (1 << field), DUPLICATES);
    else store<i32>(place, this.rows);
  }

  /** Adds the text that was found, and gives it back. */
  private addFound(): void {
    this.add(found.at, found.size);
    found.releaseFound();
  }

  /** At most eight characters of ASCII. */
  private addText(text: string): void {
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, word);
    this.add(word, text.length);
  }

  private add(source: usize, size: i32): void {
    if (this.refusal) return;
    if (this.size + size >= this.parameters.headBytesMax) return this.refuse(Refusal.HEAD_TOO_LARGE);
    const target = this.texts.reserve(size + 1);
    if (!target) return this.refuse(Refusal.MEMORY_SHORT);
    memory.copy(target, source, usize(size));
    store<u8>(target + usize(size), SP);
    this.texts.commit(size + 1);
  }

  /** The first reason counts. */
  private refuse(code: i32): void {
    if (!this.refusal) this.refusal = code;
  }
}
