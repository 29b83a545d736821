/** `crypto.subtle.digest`. Reference: w3.org/TR/webcrypto-2 31. */
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { crypto } from "./crypto.js";
import { type Hash, sha1 } from "./hashes.js";
import { bytesOf } from "./text.js";

const HASHES: ReadonlyMap<string, Hash> = new Map([
  ["SHA-1", sha1],
  ["SHA-256", sha256],
  ["SHA-384", sha384],
  ["SHA-512", sha512],
]);

async function digest(algorithm: unknown, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
  const name = typeof algorithm === "string" ? algorithm : (algorithm as { name?: unknown } | null)?.name;
  if (name === undefined) throw new TypeError("an algorithm has a name");
  if (!(data instanceof ArrayBuffer || ArrayBuffer.isView(data))) throw new TypeError("a digest is one of bytes");
  const hash = HASHES.get(String(name).toUpperCase());
  if (hash === undefined) throw new DOMException(`there is no digest ${name}`, "NotSupportedError");
  return hash(bytesOf(data)).slice().buffer as ArrayBuffer;
}

Object.assign(crypto, { subtle: { digest } });
