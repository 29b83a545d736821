/**
 * A `Response` on its way out.
 *
 * Invariants: a body is sent at the client's pace; an answer that ends early cuts its connection; what
 * concerns one connection only (RFC 9110 7.6.1) is not taken over from a `Response`.
 */
import { ignore } from "../core/promises.js";
import type { HTTPServerRequest } from "../http/request.js";
import { takerOf } from "./handover.js";
import { type Fields, fieldsOf } from "./headers.js";
import { isFetchedInflated, isInflated } from "./inflated.js";
import { isLightResponse, plainAnswer } from "./response.js";
import { isSrvxResponse, srvxAnswer } from "./srvxresponse.js";

const OF_A_CONNECTION = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Whether `value` is a `Response`, also one of another realm or package. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  if (isLightResponse(value) || isSrvxResponse(value)) return true; // without making its Headers
  if (!("status" in value && "headers" in value)) return false;
  const { status, headers } = value;
  return typeof status === "number" && typeof headers === "object" && headers !== null && Symbol.iterator in headers;
}

/** Sends `answer`, at once where its body is there; else the promise is done when all of it has been sent. */
export function sendAnswer(request: HTTPServerRequest, answer: Response): void | Promise<void> {
  const taker = request.isWebSocket ? takerOf(answer) : undefined;
  if (taker !== undefined) return taker(request);
  const plain = plainAnswer(answer) ?? srvxAnswer(answer) ?? answer;
  if (!("fields" in plain)) return send(request, plain);
  const { status, reason, fields, body } = plain;
  request.respond(status, endToEnd(fields), body, reason === "" ? undefined : reason);
}

/** A table that had no field of one connection: many answers have the same. */
let lastWithout: Fields | null = null;

/** Without the fields of one connection. */
function endToEnd(fields: Fields): Fields {
  if (fields === lastWithout) return fields;
  for (const name in fields) if (OF_A_CONNECTION.includes(name)) return withoutConnection(fields);
  lastWithout = fields;
  return fields;
}

/** Connection may name further ones. */
function withoutConnection(fields: Fields): Fields {
  const named = [fields.connection ?? []].flat().flatMap((list) => list.toLowerCase().split(/[\t ,]+/));
  const dropped = new Set([...OF_A_CONNECTION, ...named]);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !dropped.has(name)));
}

async function send(request: HTTPServerRequest, answer: Response): Promise<void> {
  if (answer.bodyUsed) throw new TypeError("the body of the Response has been read already");
  const { status, body } = answer;
  const given = endToEnd(fieldsOf(answer.headers));
  const fields = isFetchedInflated(answer) || (body !== null && isInflated(body)) ? withoutCoding(given) : given;
  const reason = answer.statusText === "" ? undefined : answer.statusText;
  if (request.method === "HEAD") {
    if (body !== null) void ignore(body.cancel()); // nothing of it is sent
    void ignore(request.connection.writeHeaders(status, fields, undefined, reason));
    return request.connection.finish();
  }
  if (body === null) return request.respond(status, fields, null, reason);
  const reader = body.getReader() as Reader;
  const begin = (chunk?: Uint8Array) => request.connection.writeHeaders(status, fields, chunk, reason);
  try {
    const begun = await beginUnlessWhole(reader, begin, (whole) => request.respond(status, fields, whole, reason));
    if (begun !== null) await stream(request, reader, begun);
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}

/**
 * Of a body that has been inflated: its coding is gone, and with it its length and that its bytes are those of the tag
 * (RFC 9110 8.8.1).
 */
function withoutCoding({ "content-encoding": _coding, "content-length": _length, ...fields }: Fields): Fields {
  const { etag } = fields;
  return typeof etag === "string" && !etag.startsWith("W/") ? { ...fields, etag: `W/${etag}` } : fields;
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Reading = Awaited<ReturnType<Reader["read"]>>;

/**
 * What is read in this turn of the loop, null when it takes longer: most answers are one piece that is there at once.
 */
function soon(reading: Promise<Reading>): Promise<Reading | null> {
  return Promise.race([reading, new Promise<null>((resolve) => setImmediate(resolve, null))]);
}

/** An answer that has been begun. */
interface Begun {
  /** The head, and the first piece if it was there, have left. */
  readonly left: Promise<void>;
  /**
   * The next piece, whose error is heard when it is written. It is taken out of here, because a function that waits
   * keeps what its variables had.
   */
  readonly next: Promise<Reading>[];
}

/** Responds with a body that is there at once and has one piece, and returns null; begins any other. */
async function beginUnlessWhole(
  reader: Reader,
  begin: (chunk?: Uint8Array) => Promise<void>,
  respond: (body: Uint8Array | null) => void,
): Promise<Begun | null> {
  const first = reader.read();
  const one = await soon(first);
  if (one === null) return { left: begin(), next: [ignore(first)] };
  const second = reader.read();
  if ((await soon(second))?.done !== true) return { left: begin(one.value), next: [ignore(second)] };
  respond(one.value ?? null);
  return null;
}

/** Sends the rest. While a piece leaves, no variable here keeps it: its bytes are the connection's. */
async function stream(request: HTTPServerRequest, reader: Reader, { left, next }: Begun): Promise<void> {
  let cut = false;
  const leave = () => {
    cut = true;
    void ignore(reader.cancel(request.signal.reason));
  };
  if (request.signal.aborted) leave();
  else request.signal.addEventListener("abort", leave, { once: true });
  const { connection } = request;
  const write = ({ done, value }: Reading) => (done ? null : { left: connection.write(value) });
  const pass = () => (next.pop() ?? reader.read()).then(write);
  await left;
  for (let piece = await pass(); piece !== null; piece = await pass()) await piece.left;
  if (cut) return request.cancel(); // a client that reads on must not take it for the whole answer
  connection.finish();
}
