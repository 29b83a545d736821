// Dates of header fields: IMF-fixdate, which is what HTTP has sent since 1997. The two older forms are not read: a condition with one
// of them is as if it were not there, and costs a transfer. Reference: RFC 9110 5.6.7.

import { dateField } from "../http/date";
import { latin1Text } from "./text";

const line: usize = memory.data(64, 16);
const MONTHS: string = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** Seconds since 1970 as a date. */
export function httpDate(unixSeconds: i64): string {
  dateField(line, unixSeconds);
  return latin1Text(line + 6, 29);
}

/** A date as seconds since 1970, -1: it is none. */
export function parseDate(text: string): i64 {
  if (text.length != 29 || !text.endsWith(" GMT") || text.charCodeAt(3) != 0x2c) return -1;
  const month = MONTHS.indexOf(text.substring(8, 11));
  const day = number(text, 5, 2);
  const year = number(text, 12, 4);
  const hour = number(text, 17, 2);
  const minute = number(text, 20, 2);
  const second = number(text, 23, 2);
  if (month < 0 || month % 3 || day < 1 || day > 31 || year < 1970) return -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
  return days(year, month / 3 + 1, day) * 86400 + hour * 3600 + minute * 60 + second;
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

/** Days from 1970 to a date: Howard Hinnant's days_from_civil. */
function days(year: i32, month: i32, day: i32): i64 {
  const y = month <= 2 ? year - 1 : year;
  const era = y / 400;
  const ofEra = y - era * 400;
  const ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return i64(era) * 146097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468;
}
