/**
 * Forms whose body is in memory already, such as one that was kept, or came by another way than a request.
 *
 * Invariant: the rules and the bounds are those of a request's form. Reference: Tornado's
 * httputil.parse_body_arguments and parse_multipart_form_data.
 */
import { type Data, toBytes } from "../../core/data.js";
import { HTTPInputError } from "../../core/errors.js";
import { type FormLimits, type ResolvedFormLimits, resolveFormLimits } from "./limits.js";
import { MultipartReader } from "./multipart.js";
import { type Parameterized, parseParameters } from "./parameters.js";
import { decodeUTF8, parseUrlencoded } from "./urlencoded.js";

/** A file of a form that is in memory: Tornado's HTTPFile. */
export interface HTTPFile {
  /** As the client says, without folders. Not to be used as a path. */
  readonly filename: string;
  /** Content-Type as it came; without one `text/plain`. */
  readonly contentType: string;
  /** Its bytes. */
  readonly body: Buffer;
}

/** What a body holds, by name; a name may be there several times. */
export interface BodyArguments {
  /** Values of fields that are no files. */
  readonly arguments: Map<string, string[]>;
  /** Files that have a name. */
  readonly files: Map<string, HTTPFile[]>;
}

/**
 * The form that `body` is, by its Content-Type: urlencoded or multipart; nothing for another type, as in Tornado.
 * Rejects with HTTPInputError for one that is malformed, 400, or larger than `limits`, 413; with OptionError for a
 * bound that is none.
 */
export async function parseBodyArguments(
  contentType: string,
  body: Data,
  limits: FormLimits = {},
): Promise<BodyArguments> {
  const bounds = resolveFormLimits(limits);
  const form = noArguments();
  const type = parseParameters(contentType);
  const bytes = bufferOf(body);
  if (type?.value === "multipart/form-data") return readMultipart(type, bytes, bounds);
  if (type?.value !== "application/x-www-form-urlencoded") return form;
  if (bytes.length > bounds.textBytesMax) throw tooLarge(bounds);
  for (const [name, value] of parseUrlencoded(bytes, bounds.argumentsMax)) append(form.arguments, name, value);
  return form;
}

/**
 * The parts of a `multipart/form-data` body, whose `boundary` may stand in quotes. Rejects as `parseBodyArguments`
 * does.
 */
export async function parseMultipartFormData(
  boundary: Data,
  data: Data,
  limits: FormLimits = {},
): Promise<BodyArguments> {
  const text = bufferOf(boundary).toString("latin1");
  const parameters = new Map([["boundary", /^"(.*)"$/s.exec(text)?.[1] ?? text]]);
  return readMultipart({ value: "multipart/form-data", parameters }, bufferOf(data), resolveFormLimits(limits));
}

async function readMultipart(type: Parameterized, data: Buffer, limits: ResolvedFormLimits): Promise<BodyArguments> {
  const form = noArguments();
  let rest: Buffer | null = data;
  const next = (): Promise<Buffer | null> => {
    const block = rest;
    rest = null;
    return Promise.resolve(block);
  };
  const reader = new MultipartReader({ next }, type, limits);
  let count = 0;
  let textBytes = 0;
  for (let head = await reader.nextPart(); head !== null; head = await reader.nextPart()) {
    const { name, filename, contentType } = head;
    const body = await partOf(reader);
    if (filename !== null) {
      append(form.files, name, { filename, contentType, body });
      continue;
    }
    if (++count > limits.argumentsMax) {
      throw new HTTPInputError(`the form has more than ${limits.argumentsMax} arguments`);
    }
    textBytes += body.length;
    if (textBytes > limits.textBytesMax) throw tooLarge(limits);
    append(form.arguments, name, decodeUTF8(body));
  }
  return form;
}

async function partOf(reader: MultipartReader): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (let block = await reader.nextData(); block !== null; block = await reader.nextData()) blocks.push(block);
  return Buffer.concat(blocks);
}

function append<Value>(values: Map<string, Value[]>, name: string, value: Value): void {
  const known = values.get(name);
  if (known === undefined) values.set(name, [value]);
  else known.push(value);
}

function noArguments(): BodyArguments {
  return { arguments: new Map(), files: new Map() };
}

function bufferOf(data: Data): Buffer {
  const bytes = toBytes(data);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tooLarge({ textBytesMax }: ResolvedFormLimits): HTTPInputError {
  return new HTTPInputError(`the form's fields have more than ${textBytesMax} bytes`, 413);
}
