// A WebSocket client that can do what no proper client would: it sends any frames, in any pieces, and reads those
// of the server by the letter of RFC 6455: no mask, no reserved bits, the shortest form of each length.
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closing,
  type FrameOptions,
  frame,
  handshakeText,
  TEXT,
} from "../../../host/cli/attack/wsframes.js";
import type { Client } from "./client.js";
import type { Response } from "./response.js";
import type { Server } from "./ways.js";

export * from "../../../host/cli/attack/wsframes.js";

export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

export interface Received {
  opcode: number;
  fin: boolean;
  /** RSV1. */
  compressed: boolean;
  payload: Buffer;
}

export class WsClient {
  private constructor(
    readonly client: Client,
    readonly response: Response,
  ) {}

  /** Opens a websocket; `sent` goes out in one piece with the handshake. */
  static async open(
    server: Server,
    path = "/ws",
    { headers = {}, sent = Buffer.alloc(0) }: { headers?: Record<string, string | undefined>; sent?: Buffer } = {},
  ): Promise<WsClient> {
    const client = await server.connect();
    client.send(Buffer.concat([Buffer.from(handshakeText(path, headers), "latin1"), sent]));
    const response = await client.readResponse();
    if (response.status !== 101) throw new Error(`not a websocket: ${response.status} ${response.body}`);
    return new WsClient(client, response);
  }

  send(opcode: number, payload?: Buffer | string, options?: FrameOptions): this {
    this.client.send(frame(opcode, payload, options));
    return this;
  }

  async readFrame(): Promise<Received> {
    const head = await this.client.readBytes(2);
    const [fin, reserved, opcode] = [(head[0] & 0x80) !== 0, (head[0] >> 4) & 7, head[0] & 15];
    if ((head[1] & 0x80) !== 0 || (reserved & 3) !== 0)
      throw new Error(`a server's frame begins ${head.toString("hex")}`);
    let length = head[1] & 0x7f;
    if (length === 126) length = Number(minimal((await this.client.readBytes(2)).readUInt16BE(), 126));
    else if (length === 127) length = Number(minimal((await this.client.readBytes(8)).readBigUInt64BE(), 65_536n));
    if (opcode >= CLOSE && (!fin || length > 125 || reserved !== 0)) throw new Error("a control frame that is none");
    return { opcode, fin, compressed: reserved !== 0, payload: await this.client.readBytes(length) };
  }

  /** The next message, put together; pings and pongs are not expected. */
  async readMessage(): Promise<Received> {
    const first = await this.readFrame();
    if (first.opcode !== TEXT && first.opcode !== BINARY) throw new Error(`no message but ${describe(first)}`);
    const pieces = [first];
    for (let piece = first; !piece.fin; pieces.push(piece)) {
      piece = await this.readFrame();
      if (piece.opcode !== CONTINUATION || piece.compressed) throw new Error(`no continuation but ${describe(piece)}`);
    }
    return { ...first, fin: true, payload: Buffer.concat(pieces.map(({ payload }) => payload)) };
  }

  /** Expects a close frame and an orderly end behind it; answers the code, 1005 without one. */
  async readClose(): Promise<number> {
    const received = await this.readFrame();
    if (received.opcode !== CLOSE) throw new Error(`no close but ${describe(received)}`);
    await this.client.expectEnd();
    return received.payload.length === 0 ? 1005 : received.payload.readUInt16BE();
  }

  /** The closing handshake, begun here. */
  async close(code = 1000): Promise<void> {
    const answer = await this.send(CLOSE, closing(code)).readClose();
    if (answer !== code) throw new Error(`close ${code} was answered with ${answer}`);
    this.client.close();
  }
}

function minimal<T extends number | bigint>(length: T, least: T): T {
  if (length < least) throw new Error(`a length of ${length} in too many bytes`);
  return length;
}

function describe({ opcode, fin, payload }: Received): string {
  return `opcode ${opcode}${fin ? "" : ", not final"}: ${payload.length} bytes ${JSON.stringify(payload.toString("latin1", 0, 60))}`;
}

/** The code of the close that these frames lead to. Nothing comes after it. */
export async function closeCodeOf(server: Server, ...frames: Buffer[]): Promise<number> {
  const socket = await WsClient.open(server);
  socket.client.send(Buffer.concat(frames));
  const code = await socket.readClose();
  socket.client.close();
  return code;
}
