// Dates of header fields, always UTC. Invariant: what is read is one of the three forms and a day of the calendar;
// everything else is no date. Reference: RFC 9110 5.6.7; host/web/httpdate.ts reads the same.

import { dateField } from "../protocol/http/date";
import { IOLoop } from "../loop/ioloop";
import { latin1Text } from "../bytes/text";

const line: usize = memory.data(64, 16);
const DAYS: StaticArray<string> = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: string = "JanFebMarAprMayJunJulAugSepOctNovDec";
const S_PER_DAY: i64 = 86400;
/** No date. */
export const NO_DATE: i64 = i64.MIN_VALUE;

/** Seconds since 1970 as a date. */
export function httpDate(unixSeconds: i64): string {
  dateField(line, unixSeconds);
  return latin1Text(line + 6, 29);
}

/** A date as seconds since 1970, NO_DATE: it is none. */
export function parseDate(text: string): i64 {
  const comma = text.indexOf(",");
  if (comma < 0) return fromAsctime(text);
  if (!text.endsWith(" GMT") || text.charCodeAt(comma + 1) != 0x20) return NO_DATE;
  const at = comma + 2;
  return comma == 3 ? fromFixdate(text, at) : fromRFC850(text, at);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`: what is sent today. */
function fromFixdate(text: string, at: i32): i64 {
  if (text.length != 29 || !isDay(text, 3) || !isBlank(text, at + 2) || !isBlank(text, at + 6)) return NO_DATE;
  return joined(number(text, at + 7, 4), text.substr(at + 3, 3), number(text, at, 2), timeAt(text, at + 11));
}

/** `Sunday, 06-Nov-94 08:49:37 GMT`. */
function fromRFC850(text: string, at: i32): i64 {
  if (text.length != at + 22 || !DAYS.includes(text.substring(0, at - 2))) return NO_DATE;
  if (text.charCodeAt(at + 2) != 0x2d || text.charCodeAt(at + 6) != 0x2d) return NO_DATE;
  const year = fullYear(number(text, at + 7, 2));
  return joined(year, text.substr(at + 3, 3), number(text, at, 2), timeAt(text, at + 9));
}

/** `Sun Nov  6 08:49:37 1994`. */
function fromAsctime(text: string): i64 {
  if (text.length != 24 || !isDay(text, 3) || !isBlank(text, 3) || !isBlank(text, 7) || !isBlank(text, 19))
    return NO_DATE;
  const day = isBlank(text, 8) ? number(text, 9, 1) : number(text, 8, 2);
  return joined(number(text, 20, 4), text.substr(4, 3), day, timeAt(text, 10));
}

function isDay(text: string, letters: i32): bool {
  for (let i = 0; i < DAYS.length; i++) if (DAYS[i].startsWith(text.substring(0, letters))) return true;
  return false;
}

function isBlank(text: string, at: i32): bool {
  return text.charCodeAt(at) == 0x20;
}

/** A year of two digits is of this century, unless that would be more than 50 years ahead; -1 stays what it is. */
function fullYear(digits: i32): i32 {
  if (digits < 0) return digits;
  const days = IOLoop.current().unixSeconds() / S_PER_DAY;
  const now = i32((days * 400) / 146097) + 1970;
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}

/**
 * Seconds of the day of ` 08:49:37` at a place, -1: it is no time. A leap second is the first one of the next minute.
 */
function timeAt(text: string, at: i32): i32 {
  if (!isBlank(text, at) || text.charCodeAt(at + 3) != 0x3a || text.charCodeAt(at + 6) != 0x3a) return -1;
  const hour = number(text, at + 1, 2);
  const minute = number(text, at + 4, 2);
  const second = number(text, at + 7, 2);
  const isTime = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
  return isTime ? (hour * 60 + minute) * 60 + second : -1;
}

function joined(year: i32, monthName: string, day: i32, time: i32): i64 {
  const index = MONTHS.indexOf(monthName);
  if (index < 0 || index % 3 || year < 0 || day < 1 || time < 0) return NO_DATE;
  const month = index / 3 + 1;
  return day > daysIn(year, month) ? NO_DATE : daysTo(year, month, day) * S_PER_DAY + time;
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

function number(text: string, at: i32, digits: i32): i32 {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Days from 1970 to a date: Howard Hinnant's days_from_civil. Years begin in March; the one before the year 0 counts as
 * its own era.
 */
function daysTo(year: i32, month: i32, day: i32): i64 {
  const y = month <= 2 ? year - 1 : year;
  const era = y < 0 ? -1 : y / 400;
  const ofEra = y - era * 400;
  const ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return i64(era) * 146097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468;
}
