/**
 * A request's form: its fields in memory, its files on disk or given to a handler as they come.
 *
 * Invariants: what is held in memory is bounded whatever the form's size; a temporary file is gone when its request is;
 * a form that breaks a rule or a bound rejects as a whole.
 * Reference: Tornado's httputil.parse_body_arguments; RFC 7578.
 */

import { HTTPInputError } from "../../core/errors.js";
import type { BodyReader } from "../bodyreader.js";
import type { HTTPHeaders } from "../headers.js";
import type { FormLimits, ResolvedFormLimits } from "./limits.js";
import { MultipartReader, type PartHead } from "./multipart.js";
import { type Parameterized, parseParameters } from "./parameters.js";
import { FormFolder } from "./tempfiles.js";
import { decodeUTF8, parseUrlencoded } from "./urlencoded.js";

/** A file of a form while it comes: iterate over it for its bytes. What is not taken is passed over. */
export interface FormPart extends PartHead, AsyncIterable<Buffer> {
  /** The file's name as the client says, without folders. Not to be used as a path. */
  readonly filename: string;
}

/** A file of a form, in a temporary file. */
export interface FormFile extends PartHead {
  readonly filename: string;
  /** Where it is until the request is over; rename it to keep it. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** What a form holds. */
export interface Form {
  /** Names and values, in their order. */
  readonly fields: URLSearchParams;
  /** In their order; empty when `onFile` has taken them. */
  readonly files: readonly FormFile[];
}

/** How a form is read. Bounds that are not given are the server's. */
export interface FormOptions extends FormLimits {
  /** The folder for temporary files. Default: the system's. */
  directory?: string | undefined;
  /** Takes each file instead: the form is read on when it has returned. */
  onFile?: ((file: FormPart) => void | Promise<void>) | undefined;
}

/** Where a form comes from, and what says when its request is over. */
export interface FormSource {
  readonly headers: HTTPHeaders;
  readonly body: BodyReader;
  /** Calls back once the request is over. */
  onOver(callback: () => void): void;
}

/** Reads the form. Rejects with HTTPInputError: 400 malformed, 413 too large, 415 no form. */
export async function readForm(source: FormSource, limits: ResolvedFormLimits, options: FormOptions): Promise<Form> {
  const given = source.headers.get("content-type");
  const type = given === null ? null : parseParameters(given);
  if (source.headers.has("content-encoding")) throw new HTTPInputError("the form is encoded", 415);
  if (type?.value === "application/x-www-form-urlencoded") return urlencodedForm(source.body, limits);
  if (type?.value === "multipart/form-data") return new MultipartForm(source, type, limits, options).read();
  if (given === null && (await source.body.next()) === null) return { fields: new URLSearchParams(), files: [] };
  throw new HTTPInputError("the body is no form", 415);
}

async function urlencodedForm(body: BodyReader, limits: ResolvedFormLimits): Promise<Form> {
  const text = await body.readAll(limits.textBytesMax);
  return { fields: new URLSearchParams(parseUrlencoded(text, limits.argumentsMax)), files: [] };
}

class MultipartForm {
  readonly #source: FormSource;
  readonly #reader: MultipartReader;
  readonly #limits: ResolvedFormLimits;
  readonly #options: FormOptions;
  readonly #fields = new URLSearchParams();
  readonly #files: FormFile[] = [];
  #folder: FormFolder | null = null;
  #part = 0;
  #arguments = 0;
  #textBytes = 0;

  constructor(source: FormSource, type: Parameterized, limits: ResolvedFormLimits, options: FormOptions) {
    this.#source = source;
    this.#reader = new MultipartReader(source.body, type, limits);
    this.#limits = limits;
    this.#options = options;
  }

  async read(): Promise<Form> {
    for (let head = await this.#reader.nextPart(); head !== null; head = await this.#reader.nextPart()) {
      this.#part++;
      if (head.filename === null) this.#fields.append(head.name, await this.#text());
      else await this.#file({ ...head, filename: head.filename });
    }
    return { fields: this.#fields, files: this.#files };
  }

  async #text(): Promise<string> {
    const { argumentsMax, textBytesMax } = this.#limits;
    if (++this.#arguments > argumentsMax) throw new HTTPInputError(`the form has more than ${argumentsMax} arguments`);
    const blocks: Buffer[] = [];
    for (let block = await this.#reader.nextData(); block !== null; block = await this.#reader.nextData()) {
      this.#textBytes += block.length;
      if (this.#textBytes > textBytesMax) {
        throw new HTTPInputError(`the form's fields have more than ${textBytesMax} bytes`, 413);
      }
      this.#source.body.hold(block.length);
      blocks.push(block);
    }
    return decodeUTF8(Buffer.concat(blocks));
  }

  async #file(head: PartHead & { filename: string }): Promise<void> {
    const { onFile, directory } = this.#options;
    const blocks = this.#blocks(this.#part);
    if (onFile !== undefined) return onFile({ ...head, [Symbol.asyncIterator]: () => blocks });
    if (this.#folder === null) {
      const folder = new FormFolder(directory);
      this.#folder = folder;
      this.#source.onOver(() => folder.remove());
    }
    this.#files.push({ ...head, ...(await this.#folder.store(blocks)) });
  }

  /** The bytes of a part; nothing once the next has begun. */
  async *#blocks(part: number): AsyncGenerator<Buffer, void, undefined> {
    while (part === this.#part) {
      const block = await this.#reader.nextData();
      if (block === null) return;
      yield block;
    }
  }
}
