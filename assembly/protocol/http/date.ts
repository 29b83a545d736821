// The Date field, an IMF-fixdate (RFC 9110 5.6.7): formatted once a second and copied otherwise.
//
// Invariant: the line is always 37 bytes, as its year has four digits: times outside the years 1 to 9999 are moved to
// the nearest of them.

import { writeBytes, writeText } from "../../bytes/scan";

const DATE_LINE: usize = changetype<usize>("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
const DATE_LINE_BYTES: usize = 37;
const FIRST_SECOND: i64 = -62135596800; // 0001-01-01
const LAST_SECOND: i64 = 253402300799; // 9999-12-31T23:59:59Z

const line: usize = memory.data(48, 16);
let lineSeconds: i64 = i64.MIN_VALUE;

/** Needs 48 bytes. */
export function dateField(target: usize, unixSeconds: i64): usize {
  const seconds = max(FIRST_SECOND, min<i64>(unixSeconds, LAST_SECOND));
  if (seconds != lineSeconds) format(seconds);
  return writeBytes(target, line, DATE_LINE_BYTES);
}

function format(seconds: i64): void {
  lineSeconds = seconds;
  const time = i32(((seconds % 86400) + 86400) % 86400);
  const days = i32((seconds - time) / 86400);
  writeText(line, DATE_LINE);
  name(line + 6, DAYS, ((days % 7) + 7) % 7);
  date(days);
  digits(line + 23, time / 3600);
  digits(line + 26, (time / 60) % 60);
  digits(line + 29, time % 60);
}

// The 1st of January 1970 was a Thursday; months are counted from March, so that a leap day is the last of its year.
const DAYS: usize = changetype<usize>("ThuFriSatSunMonTueWed");
const MONTHS: usize = changetype<usize>("MarAprMayJunJulAugSepOctNovDecJanFeb");
const DAYS_FROM_MARCH_0000: i32 = 719468; // from 0000-03-01 to 1970-01-01
const DAYS_OF_400_YEARS: i32 = 146097;

/** Day, month and year: Howard Hinnant's civil_from_days (howardhinnant.github.io/date_algorithms.html). */
function date(days: i32): void {
  const all = days + DAYS_FROM_MARCH_0000;
  const era = all / DAYS_OF_400_YEARS;
  const dayOfEra = all % DAYS_OF_400_YEARS;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const month = (5 * dayOfYear + 2) / 153;
  const year = era * 400 + yearOfEra + (month >= 10 ? 1 : 0);
  digits(line + 11, dayOfYear - (153 * month + 2) / 5 + 1);
  name(line + 14, MONTHS, month);
  digits(line + 18, year / 100);
  digits(line + 20, year % 100);
}

function digits(target: usize, number: i32): void {
  store<u8>(target, 0x30 + number / 10);
  store<u8>(target, 0x30 + (number % 10), 1);
}

/** One of the names of three letters in a literal. */
function name(target: usize, names: usize, index: i32): void {
  const source = names + usize(index) * 6;
  store<u8>(target, load<u8>(source));
  store<u8>(target, load<u8>(source, 2), 1);
  store<u8>(target, load<u8>(source, 4), 2);
}
