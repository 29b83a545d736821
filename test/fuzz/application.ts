// What sockets.ts serves: answers with the mark of its request, in each way that there is; which one is chosen by the
// mark.
import { type HTTPServerRequest, WebSocketHandler } from "waterspout";

class Echo extends WebSocketHandler {
  override onMessage(message: string | Buffer): void {
    this.writeMessage(message);
  }
}

export default async function answer(request: HTTPServerRequest): Promise<void> {
  const mark = request.target.slice(1);
  const kind = [...mark].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 8;
  if (request.headers.get("upgrade") !== null && kind !== 0) return Echo.serve(request);
  if (kind < 3) return request.respond(200, {}, mark);
  if (kind === 3) throw new Error("on purpose");
  if (kind === 4) return request.respond(200, {}, `${mark} ${(await request.readBody()).length}`);
  if (kind === 5) {
    // Not for ever: behind more than 64 KiB of further requests the client's end is seen after ten minutes only
    // (UNREAD_TIMEOUT_MS).
    const late = AbortSignal.timeout(5000);
    const { signal } = request;
    await new Promise<void>((resolve) => {
      for (const each of [signal, late]) each.addEventListener("abort", () => resolve());
      if (signal.aborted) resolve();
    });
    return signal.aborted ? undefined : request.respond(200, {}, mark);
  }
  const { connection } = request;
  connection.writeHeaders(200, {});
  for (let part = 0; part < kind; part++) await connection.write(Buffer.alloc(20_000, "b"));
  await connection.write(mark);
  connection.finish();
}
