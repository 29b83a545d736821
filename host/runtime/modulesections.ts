/**
 * What a module's file says of itself, read without compiling it.
 *
 * Invariant: what is not as it should be ends the reading and throws nothing; whether the file is a module at all, its
 * runtime finds out.
 * Reference: WebAssembly 2.0, 5.2.2 (integers), 5.5.2 (sections), 5.5.10 (export section).
 */

const HEADER_BYTES = 8;
const EXPORT_SECTION = 7;

/** A section, and a reader of its content. */
export interface Section {
  /** Where it begins and ends in the file. */
  readonly start: number;
  readonly end: number;
  readonly content: Reader;
}

/** Reads bytes of a module one after the other. */
export class Reader {
  readonly #module: Uint8Array;
  at: number;

  constructor(module: Uint8Array, at: number) {
    this.#module = module;
    this.at = at;
  }

  /** An unsigned integer; a byte alone is one, too. */
  next(): number {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const byte = this.#module[this.at++] ?? 0;
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const size = this.next();
    this.at += size;
    return Buffer.from(this.#module.subarray(this.at - size, this.at)).toString("utf8");
  }
}

/** The first section with this id; null: there is none. */
export function sectionOf(module: Uint8Array, id: number): Section | null {
  return sectionsOf(module, id)[0] ?? null;
}

/** All sections with this id; a component may have several, and its sections are laid out as a module's. */
export function sectionsOf(module: Uint8Array, id: number): Section[] {
  const sections: Section[] = [];
  const reader = new Reader(module, HEADER_BYTES);
  while (reader.at < module.length) {
    const start = reader.at;
    const found = reader.next();
    const size = reader.next();
    const end = Math.min(reader.at + size, module.length);
    if (found === id) sections.push({ start, end, content: new Reader(module, reader.at) });
    reader.at = end;
  }
  return sections;
}

/** Whether the module exports something by this name. */
export function exportsName(module: Uint8Array, name: string): boolean {
  const section = sectionOf(module, EXPORT_SECTION);
  if (section === null) return false;
  const { content, end } = section;
  content.next(); // how many
  while (content.at < end) {
    if (content.text() === name) return true;
    content.next(); // its kind
    content.next(); // its index
  }
  return false;
}
