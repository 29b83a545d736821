/**
 * Bounds of forms: as a server's option and as an argument of one call.
 *
 * Invariant: behind `resolveFormLimits` each is a whole number from 0 up.
 */
import { wholeNumber } from "../../core/check.js";
import {
  FORM_ARGUMENTS_MAX,
  FORM_PART_HEADER_BYTES_MAX,
  FORM_PARTS_MAX,
  FORM_TEXT_BYTES_MAX,
} from "../../core/limits.js";

/** Bounds of a form, beside `bodyBytesMax`, which holds for all of it. */
export interface FormLimits {
  /** Fields that are no files; more are refused with 400. Default 1,000. */
  argumentsMax?: number | undefined;
  /** Parts of a multipart form, files and fields; more are refused with 400. Default 100. */
  partsMax?: number | undefined;
  /** Bytes of one part's header fields; more are refused with 400. Default 10 KiB. */
  partHeaderBytesMax?: number | undefined;
  /** Bytes of all that is no file; more are refused with 413. Default 1 MiB. */
  textBytesMax?: number | undefined;
}

/** The same, complete and checked. */
export type ResolvedFormLimits = { readonly [name in keyof FormLimits]-?: number };

const DEFAULTS: ResolvedFormLimits = {
  argumentsMax: FORM_ARGUMENTS_MAX,
  partsMax: FORM_PARTS_MAX,
  partHeaderBytesMax: FORM_PART_HEADER_BYTES_MAX,
  textBytesMax: FORM_TEXT_BYTES_MAX,
};

/** `limits`, completed from `defaults`. Throws OptionError that names the one that is out of range. */
export function resolveFormLimits(
  limits: FormLimits = {},
  defaults: ResolvedFormLimits = DEFAULTS,
): ResolvedFormLimits {
  const resolved = { ...defaults };
  for (const name of Object.keys(DEFAULTS) as (keyof FormLimits)[]) {
    const value = limits[name];
    if (value !== undefined) resolved[name] = wholeNumber(name, value, 0);
  }
  return resolved;
}
