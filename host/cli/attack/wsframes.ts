/**
 * A websocket client's bytes, right or wrong.
 *
 * Reference: RFC 6455 4.1, 5.2.
 */

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** RFC 6455 1.3. */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

export interface FrameOptions {
  /** Default: true. */
  fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  reserved?: number;
  /** False: sent as a server would. */
  masked?: boolean;
  /** Bytes of the length beside the first: 0, 2 or 8; default: as few as will do. */
  lengthBytes?: 0 | 2 | 8;
  /** What the header says instead of the payload's length. */
  length?: bigint;
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A client's frame. */
export function frame(opcode: number, payload: Buffer | string = "", options: FrameOptions = {}): Buffer {
  const { fin = true, reserved = 0, masked = true } = options;
  const bytes = Buffer.from(payload as string);
  const length = options.length ?? BigInt(bytes.length);
  const lengthBytes = options.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const short = lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127;
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | short;
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, MASK, bytes.map((byte, at) => byte ^ (MASK[at & 3] as number))]);
}

/** A close frame's payload. */
export function closing(code: number, reason: Buffer | string = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason as string)]);
}

/** A request that would open a websocket; a header of `undefined` is left out. */
export function handshakeText(path: string, changes: Record<string, string | undefined> = {}): string {
  const headers = {
    Host: "x",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}
