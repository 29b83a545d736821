/**
 * HTTP-dates as they are read. Invariant: what is accepted is one of the three forms and a day of the calendar, always
 * UTC; everything else is no date. (`Date.parse` takes `2099` and reads asctime's form in the zone of this machine.)
 * Reference: RFC 9110 5.6.7; assembly/web/dates.ts reads the same.
 */

const DAY = "Mon|Tue|Wed|Thu|Fri|Sat|Sun";
const DAY_L = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";

/** IMF-fixdate, which is what is sent today; RFC 850's; asctime's. */
const FORMS = [
  new RegExp(`^(?:${DAY}), (?<day>\\d{2}) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^(?:${DAY_L}), (?<day>\\d{2})-${MONTH}-(?<year>\\d{2}) ${TIME} GMT$`),
  new RegExp(`^(?:${DAY}) ${MONTH} (?<day>\\d{2}| \\d) ${TIME} (?<year>\\d{4})$`),
];

type Parts = Record<"day" | "month" | "year" | "hour" | "minute" | "second", string>;

/** The time of an HTTP-date in milliseconds since 1970, null for a text that is none. */
export function parseHTTPDate(text: string): number | null {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups as Parts | undefined;
    if (parts !== undefined) return timeOf(parts);
  }
  return null;
}

function timeOf(parts: Parts): number | null {
  const year = parts.year.length === 2 ? fullYear(Number(parts.year)) : Number(parts.year);
  const [day, month] = [Number(parts.day), MONTHS.indexOf(parts.month)];
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month) return null; // the 30th of February
  // A leap second is the first second of the next minute.
  return date.getTime() + ((Number(parts.hour) * 60 + Number(parts.minute)) * 60 + Number(parts.second)) * 1000;
}

/** A year of two digits is of this century, unless that would be more than 50 years ahead. */
function fullYear(digits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}
