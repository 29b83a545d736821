// The numbers of methods. Generated from protocol/protocol.json by `make protocol`; edit it there.

/** Methods by their number; 0 is any other, whose text is given. */
export const METHODS = ["", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;
export const METHOD_OTHER = 0;
export const METHOD_GET = 1;
export const METHOD_HEAD = 2;
export const METHOD_POST = 3;
export const METHOD_PUT = 4;
export const METHOD_DELETE = 5;
export const METHOD_PATCH = 6;
export const METHOD_OPTIONS = 7;
