/** `node:crypto`, of which there are hashes, HMACs and chance. Reference: Node's documentation of `crypto`. */
import { sha256 } from "@noble/hashes/sha2.js";
import { Buffer, bytesOfData, bytesOfText, textOfBytes, viewOf } from "../buffer.js";
import { randomBytes as chance, crypto } from "../crypto.js";
import { type Hash as HashOf, hmac, sha1 } from "../hashes.js";

const HASHES = new Map<string, HashOf>([
  ["sha1", sha1],
  ["sha256", sha256],
]);

type Data = string | ArrayBuffer | ArrayBufferView;

function hashOf(algorithm: string): HashOf {
  const found = HASHES.get(algorithm.toLowerCase().replace("-", ""));
  if (found === undefined) throw new Error(`a component has the hashes sha1 and sha256, not ${algorithm}`);
  return found;
}

class Digest {
  readonly #finish: (message: Uint8Array) => Uint8Array;
  readonly #pieces: Uint8Array[] = [];

  constructor(finish: (message: Uint8Array) => Uint8Array) {
    this.#finish = finish;
  }

  update(data: Data, encoding?: string): this {
    this.#pieces.push(
      typeof data === "string" && encoding !== undefined ? bytesOfText(data, encoding) : bytesOfData(data),
    );
    return this;
  }

  digest(): Buffer;
  digest(encoding: string): string;
  digest(encoding?: string): Buffer | string {
    const digest = this.#finish(Buffer.concat(this.#pieces));
    return encoding === undefined ? viewOf(digest) : textOfBytes(digest, encoding);
  }
}

export type { Digest as Hash, Digest as Hmac };

export function createHash(algorithm: string): Digest {
  return new Digest(hashOf(algorithm));
}

export function createHmac(algorithm: string, key: Data): Digest {
  const hash = hashOf(algorithm);
  const secret = bytesOfData(key);
  return new Digest((message) => hmac(hash, secret, message));
}

export function hash(algorithm: string, data: Data, encoding = "hex"): string {
  return textOfBytes(hashOf(algorithm)(bytesOfData(data)), encoding);
}

/** Looks at each byte, wherever they differ. */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) throw new RangeError("Input buffers must have the same byte length");
  let different = 0;
  for (let at = 0; at < a.length; at++) different |= (a[at] as number) ^ (b[at] as number);
  return different === 0;
}

export function randomBytes(size: number): Buffer {
  return viewOf(chance(size));
}

export const { randomUUID, getRandomValues } = crypto;
export { crypto as webcrypto };
