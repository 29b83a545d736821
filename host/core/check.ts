/**
 * Checks of what an application gives as an option or an argument.
 *
 * Invariant: a value that passes is returned as it is; any other throws OptionError, whose message names the option,
 * what it may be and what it was.
 */
import { OptionError } from "./errors.js";

/** The largest number that a field of 31 bits holds, and the longest timer of Node's in milliseconds. */
export const UINT31_MAX = 0x7fffffff;
export const PORT_MAX = 65535;
/** Connections that may wait in the kernel: the system call takes 16 bits. */
export const BACKLOG_MAX = 65535;

/** `value`, when it is a whole number from `min` to `max`; without `max` any that a double holds exactly. */
export function wholeNumber(name: string, value: unknown, min: number, max?: number): number {
  const most = max ?? Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= most) return value as number;
  const range = max === undefined ? `from ${min} up` : `from ${min} to ${max}`;
  throw new OptionError(`${name} must be a whole number ${range}, not ${String(value)}`);
}

/** `value`, when it is one of `choices`. */
export function choice<Choice extends string>(name: string, value: unknown, choices: readonly Choice[]): Choice {
  if (choices.includes(value as Choice)) return value as Choice;
  const quoted = choices.map((each) => JSON.stringify(each));
  const listed = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  throw new OptionError(`${name} must be ${listed}, not ${JSON.stringify(value)}`);
}
