/**
 * `crypto.subtle`: digests, and HMAC with secret keys. What else the interface has is refused with NotSupportedError.
 * Reference: w3.org/TR/webcrypto-2 14, 31 and 32; RFC 2104.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 as nobleSha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { crypto, randomBytes } from "./crypto.js";
import { type Hash, sha1 } from "./hashes.js";
import { bytesOf } from "./text.js";

interface Algorithm {
  readonly digest: Hash;
  readonly keyed: Parameters<typeof hmac>[0];
}
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ["SHA-1", { digest: sha1, keyed: nobleSha1 }],
  ["SHA-256", { digest: sha256, keyed: sha256 }],
  ["SHA-384", { digest: sha384, keyed: sha384 }],
  ["SHA-512", { digest: sha512, keyed: sha512 }],
]);
const USAGES: readonly unknown[] = ["sign", "verify"];

type Named = string | { readonly name?: unknown };
interface HMACParams {
  readonly name?: unknown;
  readonly hash?: Named;
  /** Of the key, in bits. */
  readonly length?: number;
}

/** A secret key for HMAC. */
class CryptoKey {
  readonly type = "secret";
  readonly algorithm: { readonly name: "HMAC"; readonly hash: { readonly name: string }; readonly length: number };
  readonly #bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    hash: string,
    readonly extractable: boolean,
    readonly usages: readonly string[],
  ) {
    if (usages.length === 0) throw new DOMException("a key must be for something", "SyntaxError");
    if (!usages.every((usage) => USAGES.includes(usage))) throw new DOMException("no use of HMAC", "SyntaxError");
    this.#bytes = bytes;
    this.algorithm = { name: "HMAC", hash: { name: hash }, length: bytes.length * 8 };
  }

  static bytesOf(key: CryptoKey): Uint8Array {
    return key.#bytes;
  }

  get [Symbol.toStringTag](): string {
    return "CryptoKey";
  }
}

function nameOf(algorithm: unknown): string {
  const name = typeof algorithm === "string" ? algorithm : (algorithm as { name?: unknown } | null)?.name;
  if (name === undefined) throw new TypeError("an algorithm has a name");
  return String(name).toUpperCase();
}

function hashOf(algorithm: unknown): [name: string, hash: Algorithm] {
  const name = nameOf(algorithm);
  const hash = ALGORITHMS.get(name);
  if (hash === undefined) throw new DOMException(`there is no digest ${name}`, "NotSupportedError");
  return [name, hash];
}

function checkHMAC(algorithm: unknown): void {
  const name = nameOf(algorithm);
  if (name !== "HMAC") throw new DOMException(`a component has no ${name}, only HMAC`, "NotSupportedError");
}

function dataOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return bytesOf(data);
  throw new TypeError("the data must be bytes");
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

/** The HMAC of `data`, by a key that may be used so. */
function macOf(algorithm: unknown, key: CryptoKey, data: unknown, usage: string): Uint8Array {
  checkHMAC(algorithm);
  if (!(key instanceof CryptoKey)) throw new TypeError("the key must be a CryptoKey");
  if (!key.usages.includes(usage)) throw new DOMException(`the key is not for ${usage}`, "InvalidAccessError");
  const [, { keyed }] = hashOf(key.algorithm.hash);
  return hmac(keyed, CryptoKey.bytesOf(key), dataOf(data));
}

/** Takes the same time for each wrong one. */
function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at++) difference |= (one[at] as number) ^ (other[at] as number);
  return difference === 0;
}

function checkRaw(format: unknown): void {
  if (format !== "raw") throw new DOMException(`a component has no keys as ${String(format)}`, "NotSupportedError");
}

const subtle = {
  async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    const [, hash] = hashOf(algorithm);
    return bufferOf(hash.digest(dataOf(data)));
  },

  async importKey(format: unknown, data: unknown, algorithm: HMACParams, extractable: boolean, usages: string[]) {
    checkHMAC(algorithm);
    checkRaw(format);
    const bytes = dataOf(data).slice();
    if (bytes.length === 0) throw new DOMException("a key has bytes", "DataError");
    if (algorithm.length !== undefined && algorithm.length !== bytes.length * 8) {
      throw new DOMException("the length is not that of the key", "DataError");
    }
    return new CryptoKey(bytes, hashOf(algorithm.hash)[0], Boolean(extractable), [...usages]);
  },

  async generateKey(algorithm: HMACParams, extractable: boolean, usages: string[]): Promise<CryptoKey> {
    checkHMAC(algorithm);
    const [name, { keyed }] = hashOf(algorithm.hash);
    const bits = algorithm.length ?? keyed.blockLen * 8;
    if (!(bits > 0 && bits % 8 === 0)) throw new DOMException(`a key cannot have ${bits} bits`, "OperationError");
    return new CryptoKey(randomBytes(bits / 8), name, Boolean(extractable), [...usages]);
  },

  async exportKey(format: unknown, key: CryptoKey): Promise<ArrayBuffer> {
    checkRaw(format);
    if (!key.extractable) throw new DOMException("the key is not extractable", "InvalidAccessError");
    return bufferOf(CryptoKey.bytesOf(key));
  },

  async sign(algorithm: unknown, key: CryptoKey, data: unknown): Promise<ArrayBuffer> {
    return bufferOf(macOf(algorithm, key, data, "sign"));
  },

  async verify(algorithm: unknown, key: CryptoKey, signature: unknown, data: unknown): Promise<boolean> {
    return isEqual(macOf(algorithm, key, data, "verify"), dataOf(signature));
  },
};

/** What else the interface has. */
const MISSING = ["encrypt", "decrypt", "deriveBits", "deriveKey", "wrapKey", "unwrapKey"];
const refusals = MISSING.map((name) => [
  name,
  async (): Promise<never> => {
    throw new DOMException(`a component has no crypto.subtle.${name}`, "NotSupportedError");
  },
]);

Object.assign(crypto, { subtle: Object.assign(subtle, Object.fromEntries(refusals)) });
Object.assign(globalThis, { CryptoKey });
