/**
 * `multipart/form-data` and urlencoded forms as FormData. The engine finds texts far quicker than bytes, so a body is
 * looked through as latin-1, in which each byte is a character.
 *
 * Invariant: a body that breaks a rule, or has more than PARTS_MAX parts, is a TypeError as a whole.
 * Reference: andreubotella.github.io/multipart-form-data, which is what browsers and Node do.
 */
import { File } from "./blob.js";
import { FormData } from "./formdata.js";
import { URLSearchParams } from "./searchparams.js";
import { decode, latin1Of } from "./text.js";

/** Parts of one form; the bodies of all together have the bounds of a body. */
export const PARTS_MAX = 1000;

/** RFC 2046 5.1.1, bchars; a space is not the last. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const BOUNDARY_PARAMETER = /;[\t ]*boundary=(?:"([^"]*)"|([^;\s]*))/i;
const DISPOSITION = /^form-data; *name="([^"]*)"(?:; *filename="([^"]*)")?[\t ]*$/i;

/** The form of a body with this Content-Type. */
export function formOf(bytes: Uint8Array, contentType: string | null): FormData {
  const essence = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (essence === "application/x-www-form-urlencoded") {
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(decode(bytes, false, true))) form.append(name, value);
    return form;
  }
  const [, quoted, plain] = BOUNDARY_PARAMETER.exec(contentType ?? "") ?? [];
  const boundary = quoted ?? plain ?? "";
  if (essence !== "multipart/form-data" || !BOUNDARY.test(boundary)) throw new TypeError("the body is no form");
  return parse(bytes, `--${boundary}`);
}

function parse(bytes: Uint8Array, delimiter: string): FormData {
  const form = new FormData();
  const text = latin1Of(bytes);
  let at = text.startsWith("\r\n") ? 2 : 0;
  if (!text.startsWith(delimiter, at)) throw malformed();
  at += delimiter.length;
  for (let parts = 0; text.startsWith("\r\n", at); parts++) {
    if (parts === PARTS_MAX) throw new TypeError(`a form of more than ${PARTS_MAX} parts`);
    const headEnd = text.indexOf("\r\n\r\n", at);
    const end = headEnd < 0 ? -1 : text.indexOf(`\r\n${delimiter}`, headEnd + 2);
    if (end < 0) throw malformed();
    const content = bytes.slice(headEnd + 4, Math.max(end, headEnd + 4));
    const { name, filename, type } = readHead(text.slice(at + 2, headEnd));
    form.append(name, filename === null ? decode(content, false, true) : new File([content], filename, { type }));
    at = end + 2 + delimiter.length;
  }
  if (!text.startsWith("--", at)) throw malformed();
  return form;
}

interface Head {
  name: string;
  /** Null: the part is no file. */
  filename: string | null;
  type: string;
}

function readHead(text: string): Head {
  const fields = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) throw malformed();
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const [, name, filename] = DISPOSITION.exec(fields.get("content-disposition") ?? "") ?? [];
  if (name === undefined) throw malformed();
  const type = fields.get("content-type") ?? "text/plain";
  return { name: unescaped(name), filename: filename === undefined ? null : unescaped(filename), type };
}

/** Of a name, as browsers write it: UTF-8, with three characters escaped. */
function unescaped(latin1: string): string {
  const text = decode(
    Uint8Array.from(latin1, (character) => character.charCodeAt(0)),
    false,
    true,
  );
  return text.replace(/%0a/gi, "\n").replace(/%0d/gi, "\r").replaceAll("%22", '"');
}

function malformed(): TypeError {
  return new TypeError("the form is malformed");
}
