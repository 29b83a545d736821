/**
 * Counts the answers in what a server has sent. It reads framing and status and nothing else.
 *
 * Invariant: an answer that is not whole ends the list; answers of the kind 1xx are left out, but for 101.
 * Reference: RFC 9112 6.3.
 */

/** One answer. */
export interface Answer {
  readonly status: number;
  /** False: the server has sent less than it announced. */
  readonly isWhole: boolean;
  /** Where it ends in the bytes. */
  readonly end: number;
}

const SWITCHING = 101;

/** The answers in `bytes`; `isEnded`: the server sends no more. Bytes that begin no answer count as one of status 0. */
export function answersIn(bytes: Buffer, isEnded: boolean): Answer[] {
  const text = bytes.toString("latin1");
  const found: Answer[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf("\r\n\r\n", at);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text.slice(at, at + 12))?.[1] ?? 0);
    if (headEnd < 0 || status === 0) return [...found, { status, isWhole: false, end: text.length }];
    const head = text.slice(at, headEnd + 2);
    const end = bodyEnd(text, headEnd + 4, head, status, isEnded);
    if (status >= 200 || status === SWITCHING) {
      found.push({ status, isWhole: end !== null, end: end ?? text.length });
    }
    if (end === null || status === SWITCHING) return found;
    at = end;
  }
  return found;
}

/** Where the body that begins at `start` ends; null when it is not there yet. */
function bodyEnd(text: string, start: number, head: string, status: number, isEnded: boolean): number | null {
  if (status < 200 || status === 204 || status === 304) return start;
  if (/\ntransfer-encoding:[ \t]*chunked/i.test(head)) return chunksEnd(text, start);
  const length = /\ncontent-length:[ \t]*(\d{1,15})/i.exec(head)?.[1];
  if (length === undefined) return isEnded ? text.length : null;
  const end = start + Number(length);
  return end <= text.length ? end : null;
}

function chunksEnd(text: string, start: number): number | null {
  for (let at = start; ; ) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, Math.min(lineEnd, at + 16)), 16);
    if (Number.isNaN(size)) return null;
    if (size === 0) {
      const end = text.indexOf("\r\n\r\n", lineEnd);
      return end < 0 ? null : end + 4;
    }
    at = lineEnd + 2 + size + 2;
  }
}
