/** `FormData`. Reference: xhr.spec.whatwg.org 5. */
import { Blob, File } from "./blob.js";
import { CONTENT, TYPE } from "./body.js";
import { encode, joined } from "./text.js";

export type FormValue = string | File;

/** As a form keeps it: text, or a File with the name that is given. */
function formValueOf(value: unknown, filename?: string): FormValue {
  if (!(value instanceof Blob)) {
    if (filename !== undefined) throw new TypeError("only a Blob has the name of a file");
    return String(value).toWellFormed();
  }
  if (value instanceof File && filename === undefined) return value;
  const { type } = value;
  const name = filename ?? "blob";
  return new File([value], name, value instanceof File ? { type, lastModified: value.lastModified } : { type });
}

export class FormData {
  #entries: [name: string, value: FormValue][] = [];
  #boundary: string | null = null;

  constructor(form?: unknown) {
    if (form !== undefined) throw new TypeError("FormData is made of nothing: there are no elements of pages here");
  }

  append(name: string, value: unknown, filename?: string): void {
    this.#entries.push([textOf(name), formValueOf(value, filename)]);
  }

  set(name: string, value: unknown, filename?: string): void {
    const entry: [string, FormValue] = [textOf(name), formValueOf(value, filename)];
    const at = this.#entries.findIndex(([other]) => other === entry[0]);
    if (at < 0) this.#entries.push(entry);
    else {
      this.#entries = this.#entries.filter(([other], index) => index <= at || other !== entry[0]);
      this.#entries[at] = entry;
    }
  }

  delete(name: string): void {
    this.#entries = this.#entries.filter(([other]) => other !== textOf(name));
  }

  get(name: string): FormValue | null {
    return this.#entries.find(([other]) => other === textOf(name))?.[1] ?? null;
  }

  getAll(name: string): FormValue[] {
    return this.#entries.filter(([other]) => other === textOf(name)).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#entries.some(([other]) => other === textOf(name));
  }

  forEach(callback: (value: FormValue, name: string, form: FormData) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  /** As they are while they are gone through. */
  *entries(): IterableIterator<[string, FormValue]> {
    for (let i = 0; i < this.#entries.length; i++) {
      const [name, value] = this.#entries[i] as [string, FormValue];
      yield [name, value];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  *values(): IterableIterator<FormValue> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, FormValue]> {
    return this.entries();
  }

  /** As the body of a message, of `multipart/form-data`. Reference: html.spec.whatwg.org 4.10.21.8. */
  [CONTENT](): Uint8Array {
    const pieces = this.#entries.flatMap(([name, value]) => [
      encode(this.#head(name, value)),
      contentOf(value),
      LINE_END,
    ]);
    return joined([...pieces, encode(`--${this.#mark}--\r\n`)]);
  }

  get [TYPE](): string {
    return `multipart/form-data; boundary=${this.#mark}`;
  }

  /** Nobody who gives a part of the form can know it. */
  get #mark(): string {
    this.#boundary ??= `----form${[1, 2].map(() => Math.random().toString(36).slice(2)).join("")}`;
    return this.#boundary;
  }

  #head(name: string, value: FormValue): string {
    const head = `--${this.#mark}\r\nContent-Disposition: form-data; name="${escaped(withLineEnds(name))}"`;
    if (typeof value === "string") return `${head}\r\n\r\n`;
    const type = value.type === "" ? "application/octet-stream" : value.type;
    return `${head}; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
  }

  get [Symbol.toStringTag](): string {
    return "FormData";
  }
}

const LINE_END = encode("\r\n");

function textOf(value: unknown): string {
  return String(value).toWellFormed();
}

function withLineEnds(text: string): string {
  return text.replace(/\r\n|\r|\n/g, "\r\n");
}

function escaped(text: string): string {
  return text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
}

function contentOf(value: FormValue): Uint8Array {
  return typeof value === "string" ? encode(withLineEnds(value)) : value[CONTENT]();
}
