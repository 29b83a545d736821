// OutgoingHead: the head of a request that is sent to another server, written before there is a connection for it.
//
// Invariant: the fields that frame the message come from here alone, whatever names and values are added; no line ends
// but where one is ended here. Reference: RFC 9112 3 and 6; the texts are written by protocol/http/writer.ts.

import { CRLF, SP, TOKEN, skip, skipVisible, writeBytes, writeText } from "../bytes/scan";
import { Buffer } from "../bytes/buffer";
import * as writer from "../protocol/http/writer";

const SLASH: u8 = 0x2f;
const HTTP11: usize = changetype<usize>(" HTTP/1.1\r\n");
/** Beside method and target; what http/writer.ts asks for beside a field's name and value; for what frames it. */
const LINE_ROOM: i32 = 32;
const FIELD_ROOM: i32 = 24;
const FRAMING_ROOM: i32 = 96;

/** A request's head: begin, addField, and end; then HTTP1ClientConnection sends it. */
@final
export class OutgoingHead {
  private bytes: Buffer = new Buffer();
  private failed: bool = false;
  /** Of the body that follows: -1 for a chunked one. */
  contentLength: i64 = 0;
  /** It asks for an answer without a body: HEAD. */
  isHead: bool = false;
  /** It asks for another protocol: it has a field Upgrade. */
  upgrades: bool = false;

  /** Where it stands, once it is ended. */
  get source(): usize {
    return this.bytes.source;
  }
  /** Bytes of it. */
  get size(): i32 {
    return this.bytes.size;
  }

  /** Begins with the request line, in the place of any other head. A target without a slash in front gets one. */
  begin(method: usize, methodSize: i32, target: usize, targetSize: i32): void {
    this.bytes.clear();
    this.upgrades = false;
    const methodEnd = method + usize(methodSize);
    const targetEnd = target + usize(targetSize);
    this.failed = !methodSize;
    if (skip(method, methodEnd, TOKEN) < methodEnd || skipVisible(target, targetEnd) < targetEnd) this.failed = true;
    this.isHead = methodSize == 4 && load<u32>(method) == 0x44414548;
    let at = this.room(methodSize + targetSize + LINE_ROOM);
    if (!at) return;
    const start = at;
    at = writeBytes(at, method, usize(methodSize));
    store<u8>(at++, SP);
    if (!targetSize || load<u8>(target) != SLASH) store<u8>(at++, SLASH);
    at = writeText(writeBytes(at, target, usize(targetSize)), HTTP11);
    this.bytes.commit(i32(at - start));
  }

  /** False: it cannot be one, or it is one that frames the message. */
  addField(name: usize, nameSize: i32, value: usize, valueSize: i32): bool {
    const start = this.room(nameSize + valueSize + FIELD_ROOM);
    if (!start) return false;
    const end = writer.field(start, name, nameSize, value, valueSize);
    if (!end) return false;
    if (writer.isUpgrade(name, nameSize)) this.upgrades = true;
    this.bytes.commit(i32(end - start));
    return true;
  }

  /**
   * `contentLength` -1: the body is chunked; 0: there is none, and `says` whether that is said. False: a method or
   * target that cannot be, or no memory: it must not be sent.
   */
  end(contentLength: i64, says: bool): bool {
    this.contentLength = contentLength;
    let at = this.room(FRAMING_ROOM);
    if (!at) return false;
    const start = at;
    if (this.upgrades) at = writer.upgradeOptionField(at, false);
    if (contentLength < 0) at = writer.chunkedField(at);
    else if (contentLength > 0 || says) at = writer.contentLengthField(at, contentLength);
    store<u16>(at, CRLF);
    this.bytes.commit(i32(at + 2 - start));
    return true;
  }

  /** Gives the memory back. */
  clear(): void {
    this.bytes.clear();
  }

  /** Room at the end, 0: none, or it has failed. */
  private room(size: i32): usize {
    const at: usize = this.failed ? 0 : this.bytes.reserve(size);
    if (!at) this.failed = true;
    return at;
  }
}
