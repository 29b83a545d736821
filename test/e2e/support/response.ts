// The head of an HTTP/1 response, read as strictly as a hostile proxy would: whatever RFC 9112 and 9110 do not allow is
// an error.

export interface Response {
  status: number;
  reason: string;
  /** By name in lower case. */
  headers: Map<string, string>;
  body: Buffer;
  /** The chunks as they came, when the body was chunked. */
  chunks: Buffer[] | null;
  /** The lines of its trailer fields. */
  trailers: string[];
}

/** Headers that must stand alone; twice is a server's mistake even with equal values. */
const SINGLE = ["content-length", "content-type", "date", "transfer-encoding", "connection", "server"];
const IMF_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

/** `head` runs through its empty line. */
export function parseHead(head: string): Response {
  const [statusLine, ...lines] = head.slice(0, -4).split("\r\n");
  const match = /^HTTP\/1\.1 ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/.exec(statusLine);
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    if (!field) throw new Error(`not a header field: ${JSON.stringify(line)}`);
    const name = field[1].toLowerCase();
    if (SINGLE.includes(name) && headers.has(name)) throw new Error(`${name} stands twice`);
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${field[2]}` : field[2]);
  }
  const status = Number(match[1]);
  checkFraming(status, headers);
  return { status, reason: match[2], headers, body: Buffer.alloc(0), chunks: null, trailers: [] };
}

function checkFraming(status: number, headers: Map<string, string>): void {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (length !== undefined && !/^(0|[1-9]\d*)$/.test(length)) throw new Error(`Content-Length: ${length}`);
  if (coding !== undefined && coding !== "chunked") throw new Error(`Transfer-Encoding: ${coding}`);
  if (length !== undefined && coding !== undefined)
    throw new Error("Content-Length and Transfer-Encoding in one response");
  if ((status < 200 || status === 204) && (length ?? coding) !== undefined) throw new Error(`a ${status} with framing`);
  // RFC 9110 6.6.1: a server with a clock dates its 2xx, 3xx and 4xx answers.
  const date = headers.get("date");
  if (status >= 200 && status < 500 && date === undefined) throw new Error(`a ${status} without Date`);
  if (date !== undefined && (!IMF_DATE.test(date) || Math.abs(Date.parse(date) - Date.now()) > 10_000)) {
    throw new Error(`Date: ${date} is wrong or late`);
  }
}
