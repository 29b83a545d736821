/** A built application, as those see it who describe it: its bytes, its packages, and texts and checksums of them. */
import { createHash } from "node:crypto";
import type { Wit } from "./wit.js";

/** A built application. */
export interface Built {
  /** Its name: that of the project, or of the source. */
  name: string;
  /** The project's version; null: it has none. */
  version: string | null;
  /** The project's licence, as SPDX writes it; null: it has none. */
  license: string | null;
  /** The name of its file. */
  file: string;
  bytes: Uint8Array;
  /** Of a component; null: it is a module. */
  wit: Wit | null;
  /** The packages that it was made of or with. */
  parts: Part[];
}

/** A file by its path in the folder. */
export type Files = Map<string, Uint8Array | string>;

/** A package that an application was made of or with. */
export interface Part {
  name: string;
  version: string;
  /** As SPDX writes it; null: the package does not say. */
  license: string | null;
  /** The SHA-512 of the package as the registry has it, in hexadecimal digits; null: not known. */
  sha512: string | null;
  /** It has made the application, and nothing of it is in there. */
  isTool: boolean;
}

/** In hexadecimal digits. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A document, as a file. */
export function textOf(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
