// What a request may say. Invariant: what passes is what the table can hold, so that nothing is cut or read in another
// way there.
import { Problem } from "./problems.ts";
import type { NewUser } from "./users.ts";

/** As varchar(20) counts them: characters, not bytes and not UTF-16 units. */
const NAME_CHARACTERS_MAX = 20;
/** Control characters, and halves of a surrogate pair. */
const NO_TEXT = /[\p{Cc}\p{Cs}]/u;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const WHOLE_NUMBER = /^\d{1,9}$/;

/** What is wrong with a name; null when nothing is. */
export function faultOfName(name: string): string | null {
  if (name === "") return "name must not be empty";
  if ([...name].length > NAME_CHARACTERS_MAX) return `name must have at most ${NAME_CHARACTERS_MAX} characters`;
  if (NO_TEXT.test(name)) return "name must not have control characters";
  if (name.trim() !== name) return "name must not begin or end with white space";
  if (name === "." || name === "..") return `name must not be ${name}, which no address can end with`;
  return null;
}

/** Whether the text is a day of the calendar as ISO 8601 writes it; PostgreSQL's year 0 does not exist. */
export function isDate(text: string): boolean {
  if (!DATE.test(text) || text < "0001") return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** A user as it was sent. Without a name it keeps `presetName`, if there is one. Throws Problem 400. */
export function checkUser(given: unknown, presetName?: string): NewUser {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw wrong("a user is a JSON object");
  for (const key of Object.keys(given)) {
    if (key !== "name" && key !== "signup_date") throw wrong("a user has name and signup_date, and nothing else");
  }
  const { name = presetName, signup_date } = given as { name?: unknown; signup_date?: unknown };
  if (typeof name !== "string") throw wrong("name must be a text");
  const fault = faultOfName(name);
  if (fault !== null) throw wrong(fault);
  if (typeof signup_date !== "string" || !isDate(signup_date)) {
    throw wrong("signup_date must be a date of the calendar: YYYY-MM-DD");
  }
  return { name, signup_date };
}

/** A whole number of a query. Throws Problem 400. */
export function checkNumber(name: string, text: string, min: number, max: number): number {
  const value = WHOLE_NUMBER.test(text) ? Number(text) : -1;
  if (value < min || value > max) throw wrong(`${name} must be a whole number from ${min} to ${max}`);
  return value;
}

function wrong(sentence: string): Problem {
  return new Problem(400, sentence);
}
