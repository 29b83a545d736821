// The numbers of methods. Generated from protocol/protocol.json by `make protocol`; edit it there.

/** A request's method; OTHER is every one that is not listed here. */
export const enum Method {
  OTHER = 0,
  GET = 1,
  HEAD = 2,
  POST = 3,
  PUT = 4,
  DELETE = 5,
  PATCH = 6,
  OPTIONS = 7,
}

/** The names of Method's numbers from 1 up. */
// @ts-ignore: decorator
@lazy
export const METHODS: string[] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
