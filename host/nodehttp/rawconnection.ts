/**
 * The connection of a request to which its handler writes as it likes: what goes to `req.socket`, and answers that HTTP
 * cannot frame (1xx as the last answer, a Transfer-Encoding that is not chunked).
 *
 * Invariant: HTTP is over on such a connection, so no bytes of it can be taken for another answer: it ends behind what
 * is written.
 */
import { StreamClosedError } from "../core/errors.js";
import { READ_CHUNK_BYTES } from "../core/limits.js";
import type { HTTPServerRequest } from "../http/request.js";
import { type DetachedCallback, detach } from "../server/detach.js";
import type { IOStream } from "../stream/iostream.js";
import type { StreamSettings } from "../stream/settings.js";

export class RawConnection {
  readonly #stream: Promise<IOStream>;

  /**
   * `request` must have arrived, and have no answer yet. `closed` is called when the connection is over. What the
   * client sends from here on is dropped, and its end ends the connection. `status` is the answer's, null if it is not
   * known.
   */
  constructor(request: HTTPServerRequest, settings: StreamSettings, closed: () => void, status: number | null) {
    this.#stream = new Promise((resolve, reject) => {
      const gone = (): void => {
        reject(new StreamClosedError("RESET"));
        closed();
      };
      const detached: DetachedCallback = (stream, _ahead, answered) => {
        answered(status);
        resolve(stream);
      };
      detach(request, settings, detached, gone);
    });
    this.#stream.then(
      (stream) => {
        stream.setCloseCallback(closed);
        void dropRead(stream);
      },
      () => {},
    );
  }

  /** Resolves when the client's connection has been given all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    const stream = await this.#stream;
    return stream.write(bytes);
  }

  /** Ends the connection behind what was written. */
  end(): void {
    this.#stream.then(
      (stream) => stream.close(),
      () => {},
    );
  }
}

/** The status of the answer that begins with `bytes`; null: they are no status line. */
export function statusIn(bytes: Uint8Array): number | null {
  const [, digits] =
    /^HTTP\/1\.[01] ([1-9]\d\d)[ \r]/.exec(Buffer.from(bytes.subarray(0, 16)).toString("latin1")) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** Reads until there is no more: only a read sees that the client has left. */
async function dropRead(stream: IOStream): Promise<void> {
  try {
    for (;;) await stream.readBytes(READ_CHUNK_BYTES, { partial: true });
  } catch {
    stream.close();
  }
}
