// Multipart bodies, whole ones and spoilt ones, cut anywhere.
//
// Invariants tested: what is read does not depend on where a body is cut; a body that is right is read as it was
// written; one that is not is an HTTPInputError and nothing else.
import { HTTPInputError } from "../../host/core/errors.js";
import { MultipartReader } from "../../host/http/form/multipart.js";
import { parseParameters } from "../../host/http/form/parameters.js";
import type { Random } from "./random.js";

const LIMITS = { partsMax: 20, partHeaderBytesMax: 2000 };
const BOUNDARIES = ["b", "--", "----WebKitFormBoundaryx", "'()+_,-./:=?"];
/** What a part's bytes are made of: pieces that look like its end among them. */
const PIECES = ["a", "\r", "\n", "\r\n", "--", "\r\n--", "\r\n--b", "\r\n-", "\0", "\xff"];
/** What bytes of a body are replaced by. */
const SPOILS = ["", "\r\n", "--", ":", '"', ";", "\0", "Content-Disposition: form-data\r\n", "\r\n\r\n"];

export class FormFuzz {
  readonly name = "multipart forms";
  /** Bodies that were read. */
  connections = 0;
  /** Parts that were read. */
  answers = 0;

  async run(random: Random): Promise<void> {
    const boundary = random.pick(BOUNDARIES);
    const parts = Array.from({ length: random.below(5) }, (_, index) => ({ name: `n${index}`, data: dataOf(random) }));
    const isRight = parts.every(({ data }) => !`\r\n${data}`.includes(`\r\n--${boundary}`)) && parts.length > 0;
    const written = bodyOf(boundary, parts);
    await this.#same(boundary, written, random, isRight ? JSON.stringify(parts) : null);
    const at = random.below(written.length);
    const spoilt = written.slice(0, at) + random.pick(SPOILS) + written.slice(at + random.below(4));
    await this.#same(boundary, spoilt, random, null);
  }

  /** Reads `body` whole and in pieces. `wanted`: what has to come of it, null when that is open. */
  async #same(boundary: string, body: string, random: Random, wanted: string | null): Promise<void> {
    const bytes = Buffer.from(body, "latin1");
    const whole = await this.#outcome(boundary, [bytes]);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += (pieces.at(-1) as Buffer).length) {
      pieces.push(bytes.subarray(at, at + 1 + random.below(random.once(2) ? 3 : 60)));
    }
    const cut = await this.#outcome(boundary, pieces);
    if (cut !== whole) throw new Error(`whole: ${whole}; in pieces: ${cut}; of ${JSON.stringify(body)}`);
    if (wanted !== null && whole !== wanted) throw new Error(`${whole} in place of ${wanted}`);
  }

  async #outcome(boundary: string, pieces: Buffer[]): Promise<string> {
    this.connections++;
    const left = [...pieces];
    try {
      const source = { next: async () => left.shift() ?? null };
      const type = parseParameters(`multipart/form-data; boundary="${boundary}"`);
      const reader = new MultipartReader(source, type as NonNullable<typeof type>, LIMITS);
      const parts: { name: string; data: string }[] = [];
      for (let head = await reader.nextPart(); head !== null; head = await reader.nextPart()) {
        const data: Buffer[] = [];
        for (let piece = await reader.nextData(); piece !== null; piece = await reader.nextData()) data.push(piece);
        parts.push({ name: head.name, data: Buffer.concat(data).toString("latin1") });
        this.answers++;
      }
      return JSON.stringify(parts);
    } catch (error) {
      if (!(error instanceof HTTPInputError)) throw error;
      return error.message;
    }
  }
}

function dataOf(random: Random): string {
  return Array.from({ length: random.below(12) }, () => random.pick(PIECES)).join("");
}

function bodyOf(boundary: string, parts: readonly { name: string; data: string }[]): string {
  const each = parts.map(
    ({ name, data }) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${data}\r\n`,
  );
  return `${each.join("")}--${boundary}--\r\n`;
}
