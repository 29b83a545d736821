// The numbers of methods. Generated from protocol/protocol.json by `make protocol`; edit it there.

/** A request's method. */
export const enum Method {
  /** A method that is not listed here. */
  OTHER = 0,
  /** RFC 9110 9.3.1. */
  GET = 1,
  /** RFC 9110 9.3.2. */
  HEAD = 2,
  /** RFC 9110 9.3.3. */
  POST = 3,
  /** RFC 9110 9.3.4. */
  PUT = 4,
  /** RFC 9110 9.3.5. */
  DELETE = 5,
  /** RFC 5789 2. */
  PATCH = 6,
  /** RFC 9110 9.3.7. */
  OPTIONS = 7,
}

/** The names of Method's numbers from 1 up. */
// @ts-ignore: decorator
@lazy
export const METHODS: string[] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
