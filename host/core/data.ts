/** What an application may give as bytes, wherever it writes some. */

/** What bytes may be given as. Text is sent as UTF-8. */
export type Data = string | Uint8Array;

/** `data` as bytes. Throws TypeError for any other type, which a caller without a compiler may give. */
export function toBytes(data: Data): Uint8Array {
  checkData(data);
  return typeof data === "string" ? Buffer.from(data, "utf8") : data;
}

/** Throws TypeError unless `data` is text or bytes. */
export function checkData(data: Data): void {
  if (typeof data !== "string" && !(data instanceof Uint8Array))
    throw new TypeError("data must be a string or a Uint8Array");
}
