/**
 * Values that only the holder of a secret can have made: Tornado's signed values, so that applications of both kinds
 * can share cookies.
 *
 *     2|1:0|10:1300000000|3:key|8:dmFsdWU=|3d4e60b9…
 *
 * version, key version, seconds since 1970, name, value in base64, each with its length, and the HMAC-SHA256 of all
 * before it. Of version 1 is `dmFsdWU=|1300000000|31c93496…`: value in base64, seconds, and the HMAC-SHA1 of the name
 * and both.
 *
 * Invariant: the signature is compared in constant time, before anything that it covers is believed. Version 1, whose
 * parts can be shifted, is accepted only by who asks for it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { OptionError } from "../core/errors.js";

/** A secret, as text or bytes. */
type Secret = string | Uint8Array;
/**
 * One secret, or several by their version: new values are signed with the one that `keyVersion` names, all are
 * accepted.
 */
export type CookieSecret = Secret | Readonly<Record<number, Secret>>;

/** The form of a signed value. */
export type SignedValueVersion = 1 | 2;

/** How a signed value is read. */
export interface SignedValueOptions {
  /** How many days old it may be. Default 31. */
  maxAgeDays?: number | undefined;
  /** 1: those of version 1 are accepted, too, which are weaker. Default 2. */
  minVersion?: SignedValueVersion | undefined;
}

const VERSION = "2";
const SECONDS_A_DAY = 86_400;
/** How long a signed value is accepted unless its reader says otherwise; as in Tornado. */
export const MAX_AGE_DAYS = 31;

/**
 * Signs `value` for use under `name`. Throws OptionError when several secrets are given and `keyVersion` is none of
 * them, or `version` is 1, which has no versions of keys.
 */
export function createSignedValue(
  secret: CookieSecret,
  name: string,
  value: string | Uint8Array,
  {
    keyVersion,
    version = 2,
    now = Date.now(),
  }: { keyVersion?: number | undefined; version?: SignedValueVersion | undefined; now?: number } = {},
): string {
  const encoded = Buffer.from(value as string).toString("base64");
  const seconds = String(Math.floor(now / 1000));
  if (version === 1) {
    const only = secretOf(secret, null);
    if (only === null) throw new OptionError("signed values of version 1 need one secret, without versions");
    return `${encoded}|${seconds}|${signFirst(only, name, encoded, seconds)}`;
  }
  const fields = [String(keyVersion ?? 0), seconds, name, encoded];
  const signed = `${VERSION}|${fields.map((field) => `${field.length}:${field}|`).join("")}`;
  const key = secretOf(secret, keyVersion ?? null);
  if (key === null) throw new OptionError(`there is no secret of version ${String(keyVersion)}`);
  return signed + sign(key, signed);
}

/** The value that was signed under `name` at most `maxAgeDays` ago; null for anything else. */
export function decodeSignedValue(
  secret: CookieSecret,
  name: string,
  value: string,
  { maxAgeDays = MAX_AGE_DAYS, minVersion = 2, now = Date.now() }: SignedValueOptions & { now?: number } = {},
): Buffer | null {
  const parts = split(value);
  if (parts === null) return minVersion === 1 ? decodeFirst(secret, name, value, maxAgeDays, now) : null;
  const key = secretOf(secret, parts.keyVersion);
  if (key === null || !equal(parts.signature, sign(key, parts.signed))) return null;
  const age = now / 1000 - parts.timestamp;
  return parts.name === name && age <= maxAgeDays * SECONDS_A_DAY ? Buffer.from(parts.value, "base64") : null;
}

/**
 * The version of the key that a signed value claims; null for a text that is none. Not checked against its signature.
 */
export function getSignatureKeyVersion(value: string): number | null {
  return split(value)?.keyVersion ?? null;
}

/**
 * The value of version 1; null with several secrets, for it is made with one. A time ahead of ours may be made of
 * digits that were cut off the value's end.
 */
function decodeFirst(secret: CookieSecret, name: string, text: string, maxAgeDays: number, now: number): Buffer | null {
  const key = secretOf(secret, null);
  const [value = "", seconds = "", signature = "", ...more] = text.split("|", 4);
  if (key === null || more.length > 0 || !/^[1-9][0-9]{0,14}$/.test(seconds)) return null;
  if (!equal(signature, signFirst(key, name, value, seconds))) return null;
  const ageDays = (now / 1000 - Number(seconds)) / SECONDS_A_DAY;
  return ageDays <= maxAgeDays && ageDays >= -MAX_AGE_DAYS ? Buffer.from(value, "base64") : null;
}

function signFirst(key: Secret, ...parts: string[]): string {
  return createHmac("sha1", key).update(parts.join("")).digest("hex");
}

interface Parts {
  signed: string;
  signature: string;
  keyVersion: number;
  timestamp: number;
  name: string;
  value: string;
}

function split(text: string): Parts | null {
  if (!text.startsWith(`${VERSION}|`)) return null;
  const fields: string[] = [];
  let at = VERSION.length + 1;
  for (let field = 0; field < 4; field++) {
    const colon = text.indexOf(":", at);
    const digits = text.slice(at, colon);
    if (colon < 0 || !/^(0|[1-9][0-9]{0,5})$/.test(digits)) return null;
    const end = colon + 1 + Number(digits);
    if (text[end] !== "|") return null;
    fields.push(text.slice(colon + 1, end));
    at = end + 1;
  }
  const [keyVersion, timestamp, name, value] = fields as [string, string, string, string];
  if (!/^[0-9]{1,9}$/.test(keyVersion) || !/^[0-9]{1,15}$/.test(timestamp)) return null;
  const [signed, signature] = [text.slice(0, at), text.slice(at)];
  return { signed, signature, keyVersion: Number(keyVersion), timestamp: Number(timestamp), name, value };
}

function secretOf(secret: CookieSecret, version: number | null): Secret | null {
  if (typeof secret === "string" || secret instanceof Uint8Array) return secret;
  return version !== null && Object.hasOwn(secret, version) ? (secret[version] ?? null) : null;
}

function sign(key: Secret, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Whether two texts are the same, in a time that tells nothing of where they differ. */
export function equal(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const [left, right] = [Buffer.from(a as string), Buffer.from(b as string)];
  return left.length === right.length && timingSafeEqual(left, right);
}
