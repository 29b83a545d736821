/** What AsyncHTTPClient resolves with. Reference: Tornado's httpclient.HTTPResponse. */
import type { HTTPHeaders } from "../http/headers.js";
import { HTTPClientError } from "./httpclienterrors.js";
import type { HTTPRequest } from "./httprequest.js";

/** An answer, whole. */
export class HTTPResponse {
  /** What was asked for, before redirects, with the client's defaults; it may be fetched again. */
  readonly request: HTTPRequest;
  /** The status, such as 200. */
  readonly code: number;
  /** The phrase behind the status, as the server sent it. */
  readonly reason: string;
  /** The header fields. Of a body that was inflated, Content-Encoding is called X-Consumed-Content-Encoding. */
  readonly headers: HTTPHeaders;
  /** The body; without a byte when `streamingCallback` was given it. */
  readonly body: Buffer;
  /** The address that has answered, after redirects; without a name and password. */
  readonly effectiveUrl: string;
  /** Milliseconds from the call to the end of the answer, with waiting for other requests and redirects. */
  readonly requestTimeMs: number;
  /** When `fetch` was called, in milliseconds since 1970. */
  readonly startTimeMs: number;

  /** @internal `startedAt`: of `performance.now()`. */
  constructor(fields: Omit<HTTPResponse, "error" | "rethrow" | "requestTimeMs" | "startTimeMs">, startedAt: number) {
    this.request = fields.request;
    this.code = fields.code;
    this.reason = fields.reason;
    this.headers = fields.headers;
    this.body = fields.body;
    this.effectiveUrl = fields.effectiveUrl;
    this.requestTimeMs = performance.now() - startedAt;
    this.startTimeMs = performance.timeOrigin + startedAt;
  }

  /** What `fetch` rejects with for this answer; null when its status is one from 200 to 299. */
  get error(): HTTPClientError | null {
    if (this.code >= 200 && this.code < 300) return null;
    return new HTTPClientError(this.code, `HTTP ${this.code}: ${this.reason || "Unknown"}`, { response: this });
  }

  /** Throws `error`, if there is one: for answers to requests with `raiseError: false`. */
  rethrow(): void {
    const { error } = this;
    if (error !== null) throw error;
  }
}
