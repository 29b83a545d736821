/**
 * Bodies that Node's `fetch` has inflated. It leaves Content-Encoding and Content-Length of the body as it came beside
 * them, so an answer with such a body says what is not true of it, and has a length that cuts it off.
 *
 * Invariant: a body is taken for inflated exactly when Node's own code inflates it: when all of its codings are known
 * to it. Reference: fetch.spec.whatwg.org, "handle content codings"; undici's lib/web/fetch/index.js, onHeaders.
 */

/** Those that Node's fetch asks for and inflates, in every version of it. */
const CODINGS = /^(?:x-gzip|gzip|deflate|br)$/i;

const bodies = new WeakSet<ReadableStream>();

/**
 * Whether `response` is what `fetch` gave and its body, if its request has one, came with a coding that is taken away.
 */
export function isFetchedInflated({ type, headers }: Response): boolean {
  if (type === "default" || type === "error") return false;
  const codings = headers.get("content-encoding")?.split(",") ?? [];
  return codings.length > 0 && codings.every((coding) => CODINGS.test(coding.trim()));
}

/** Whether `body` is, or was taken from an answer that is. */
export function isInflated(body: ReadableStream): boolean {
  return bodies.has(body);
}

/** From now on a body that is taken out of a fetched answer is known by itself: `new Response(answer.body, answer)`. */
export function watchBodies(native: typeof Response): void {
  const { get } = Object.getOwnPropertyDescriptor(native.prototype, "body") as { get: () => ReadableStream | null };
  Object.defineProperty(native.prototype, "body", {
    configurable: true,
    enumerable: true,
    get(this: Response): ReadableStream | null {
      const body = Reflect.apply(get, this, []);
      if (body !== null && isFetchedInflated(this)) bodies.add(body);
      return body;
    },
  });
}
