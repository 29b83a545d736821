/**
 * `multipart/form-data`, part by part: the head of a part, then its bytes as they come.
 *
 * Invariants: a body on whose parts two parsers might disagree is refused; what is held is one block of the body and
 * one part's head, and no byte is looked at more than a few times.
 * Reference: RFC 7578 and RFC 2046 5.1.1; Tornado's httputil.parse_multipart_form_data for the limits.
 */
import { HTTPInputError } from "../../core/errors.js";
import { TOKEN, withoutOuterSpace } from "../../core/grammar.js";
import { HTTPHeaders } from "../headers.js";
import { decodeExtended, type Parameterized, parseParameters } from "./parameters.js";
import { decodeUTF8 } from "./urlencoded.js";

/** Where blocks of the body come from; null at its end. */
export interface BlockSource {
  next(): Promise<Buffer | null>;
}

/** What stands in front of a part's bytes. */
export interface PartHead {
  /** The field's name: `name` of its Content-Disposition. */
  readonly name: string;
  /** The file's name without folders; null for a part that is no file. */
  readonly filename: string | null;
  /** Content-Type as it came; for a part without one `text/plain`. */
  readonly contentType: string;
  /** All header fields of the part. */
  readonly headers: HTTPHeaders;
}

/** Bounds of what is read. */
export interface MultipartLimits {
  /** Parts of one form. */
  readonly partsMax: number;
  /** Bytes of one part's header fields. */
  readonly partHeaderBytesMax: number;
}

/** RFC 2046 5.1.1, bchars; a space is not the last. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const FIELD = new RegExp(`^(${TOKEN}):([\\t\\x20-\\x7e\\u00a0-\\uffff]*)$`);
const ENCODINGS = ["7bit", "8bit", "binary"];
const HEAD_END = "\r\n\r\n";
const NOTHING = Buffer.alloc(0);

export class MultipartReader {
  readonly #source: BlockSource;
  readonly #limits: MultipartLimits;
  /** The line end, two dashes and the boundary. */
  readonly #delimiter: Buffer;
  /** What has come and has not been given out; the body is taken to begin with a line end. */
  #pending: Buffer = Buffer.from("\r\n");
  /** Memory that `#pending` is the end of, up to `#roomEnd`; NOTHING while it is a block as it came. */
  #room = NOTHING;
  #roomEnd = 0;
  #parts = 0;
  /** Inside a part's bytes. */
  #inPart = false;
  #ended = false;

  /** Throws HTTPInputError when the Content-Type has no boundary that can be one. */
  constructor(source: BlockSource, contentType: Parameterized, limits: MultipartLimits) {
    const boundary = contentType.parameters.get("boundary") ?? "";
    if (!BOUNDARY.test(boundary)) throw malformed("there is no usable boundary");
    this.#source = source;
    this.#limits = limits;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  }

  /** The head of the next part; what is left of the one before is passed over. Null after the last. */
  async nextPart(): Promise<PartHead | null> {
    if (this.#ended) return null;
    if (this.#parts === 0) await this.#begin();
    else while ((await this.nextData()) !== null);
    if (await this.#isLast()) return null;
    if (++this.#parts > this.#limits.partsMax) throw malformed(`it has more than ${this.#limits.partsMax} parts`);
    const head = readHead(await this.#headText());
    this.#inPart = true;
    return head;
  }

  /** The next bytes of this part; null at its end. */
  async nextData(): Promise<Buffer | null> {
    const { length } = this.#delimiter;
    while (this.#inPart) {
      const end = this.#pending.indexOf(this.#delimiter);
      if (end >= 0) {
        const data = this.#take(end);
        this.#pending = this.#pending.subarray(length);
        this.#inPart = false;
        return data.length > 0 ? data : null;
      }
      // the last bytes may be the beginning of the delimiter
      if (this.#pending.length >= length) return this.#take(this.#pending.length - length + 1);
      await this.#more();
    }
    return null;
  }

  /** The body begins with a delimiter, at most one empty line before it. */
  async #begin(): Promise<void> {
    const { length } = this.#delimiter;
    await this.#hold(length);
    if (this.#pending.subarray(2, 4).equals(this.#delimiter.subarray(0, 2))) {
      this.#pending = this.#pending.subarray(2);
      await this.#hold(length);
    }
    if (!this.#take(length).equals(this.#delimiter)) throw malformed("it does not begin with its boundary");
  }

  /** What follows a delimiter: two dashes after the last part, else the end of the line. */
  async #isLast(): Promise<boolean> {
    await this.#hold(2);
    const after = this.#pending.toString("latin1", 0, 2);
    if (after === "\r\n") return false; // stays: the head may be empty
    if (after !== "--") throw malformed("a boundary is followed by something else");
    this.#pending = this.#pending.subarray(2);
    this.#ended = true;
    await this.#passEpilogue();
    return true;
  }

  /** RFC 2046: what follows the last boundary's line is not part of the form. */
  async #passEpilogue(): Promise<void> {
    while (this.#pending.length < 2) {
      const block = await this.#source.next();
      if (block === null) break;
      this.#pending = Buffer.concat([this.#pending, block]);
    }
    if (this.#pending.length > 0 && this.#pending.toString("latin1", 0, 2) !== "\r\n") {
      throw malformed("the last boundary is followed by something else");
    }
    this.#pending = NOTHING;
    while ((await this.#source.next()) !== null);
  }

  /** A part's header fields, and the empty line taken away behind them. */
  async #headText(): Promise<string> {
    const bytesMax = this.#limits.partHeaderBytesMax;
    for (let from = 0; ; ) {
      const end = this.#pending.indexOf(HEAD_END, from, "latin1");
      if (end > bytesMax + 2 || (end < 0 && this.#pending.length > bytesMax + HEAD_END.length + 2)) {
        throw malformed(`a part's header has more than ${bytesMax} bytes`);
      }
      if (end >= 0) {
        const head = this.#take(end);
        this.#pending = this.#pending.subarray(HEAD_END.length);
        if (head.includes(this.#delimiter)) throw malformed("a boundary stands in a part's header");
        return decodeUTF8(head.subarray(2));
      }
      from = Math.max(0, this.#pending.length - HEAD_END.length + 1);
      await this.#more();
    }
  }

  async #hold(bytes: number): Promise<void> {
    while (this.#pending.length < bytes) await this.#more();
  }

  async #more(): Promise<void> {
    const block = await this.#source.next();
    if (block === null) throw malformed("its last boundary is missing");
    if (this.#pending.length > 0) return this.#append(block);
    this.#pending = block;
    this.#room = NOTHING;
  }

  /** Behind what waits, in room that doubles: a head that comes byte by byte is not copied for each of them. */
  #append(block: Buffer): void {
    const waiting = this.#pending.length;
    if (this.#room === NOTHING || this.#room.length - this.#roomEnd < block.length) {
      const bytes = waiting + block.length;
      this.#room = Buffer.allocUnsafeSlow(block.length < waiting ? bytes * 2 : bytes);
      this.#roomEnd = this.#pending.copy(this.#room);
    }
    this.#roomEnd += block.copy(this.#room, this.#roomEnd);
    this.#pending = this.#room.subarray(this.#roomEnd - waiting - block.length, this.#roomEnd);
  }

  #take(bytes: number): Buffer {
    const taken = this.#pending.subarray(0, bytes);
    this.#pending = this.#pending.subarray(bytes);
    return taken;
  }
}

function readHead(text: string): PartHead {
  const fields = text === "" ? [] : text.split("\r\n").map(readField);
  const headers = new HTTPHeaders(fields);
  for (const name of ["content-disposition", "content-type", "content-transfer-encoding"]) {
    if (headers.getList(name).length > 1) throw malformed(`a part has ${name} twice`);
  }
  const encoding = headers.get("content-transfer-encoding");
  if (encoding !== null && !ENCODINGS.includes(encoding.toLowerCase())) throw malformed("a part is encoded");
  const disposition = parseParameters(headers.get("content-disposition") ?? "");
  const name = disposition?.parameters.get("name");
  if (disposition?.value !== "form-data" || name === undefined) throw malformed("a part has no name");
  return { name, filename: filenameOf(disposition), contentType: headers.get("content-type") ?? "text/plain", headers };
}

function readField(line: string): [string, string] {
  const match = FIELD.exec(line);
  if (match === null) throw malformed("a part's header is malformed");
  return [match[1] as string, withoutOuterSpace(match[2] as string)];
}

/** A form's file that was not chosen has an empty name: it is a field, as in Tornado. */
function filenameOf({ parameters }: Parameterized): string | null {
  const extended = parameters.get("filename*");
  const given = extended === undefined ? parameters.get("filename") : decodeExtended(extended);
  if (given === null) throw malformed("a file's name is malformed");
  if (given === undefined || given === "") return null;
  return given.slice(Math.max(given.lastIndexOf("/"), given.lastIndexOf("\\")) + 1);
}

function malformed(what: string): HTTPInputError {
  return new HTTPInputError(`malformed form: ${what}`);
}
