/**
 * The first record of a TLS client, read before a handshake is begun for it.
 *
 * Invariant: nothing is taken from the connection for good; what does not look like TLS goes to OpenSSL all the same,
 * which answers it. Reference: RFC 8446 5.1 (records), 4.1.2 (ClientHello); RFC 6066 3 (server_name).
 */
import type { Duplex } from "node:stream";

const HANDSHAKE = 22;
const HEADER_BYTES = 5;
const RECORD_BYTES_MAX = 1 << 14;
/**
 * Where the session's id begins in a record with a ClientHello: behind its header, the message's, the version and 32
 * random bytes.
 */
const SESSION_AT = HEADER_BYTES + 4 + 2 + 32;
const SERVER_NAME = 0;
const NAME = /^[\x21-\x7e]{1,255}$/;

/**
 * Calls `heard` when the first record has come whole, or bytes that cannot become one; they stay in the connection.
 * `heard` is given the name that the client asks for.
 */
export function hearHello(connection: Duplex, heard: (serverName: string | null) => void): void {
  let room = Buffer.alloc(0);
  let size = 0;
  const read = (): void => {
    for (let bytes = connection.read(); bytes !== null; bytes = connection.read()) {
      const needed = size + bytes.length;
      // Twice as much as is needed, so that a hello that comes byte by byte is not copied with every byte.
      if (needed > room.length) room = Buffer.concat([room.subarray(0, size)], 2 * needed);
      size += bytes.copy(room, size);
    }
    const hello = room.subarray(0, size);
    if (size < recordBytes(hello)) return;
    connection.removeListener("readable", read);
    connection.unshift(hello);
    heard(serverNameIn(hello));
  };
  connection.on("readable", read);
}

/** How many bytes have to be there before the first record is whole. */
function recordBytes(bytes: Buffer): number {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return 1;
  if (bytes.length < HEADER_BYTES) return HEADER_BYTES;
  const size = bytes.readUInt16BE(3);
  return size > RECORD_BYTES_MAX ? HEADER_BYTES : HEADER_BYTES + size;
}

/** The name that a ClientHello asks for; null when it asks for none, and where the hello takes more than one record. */
export function serverNameIn(hello: Buffer): string | null {
  try {
    let at = SESSION_AT + 1 + hello.readUInt8(SESSION_AT);
    at += 2 + hello.readUInt16BE(at); // ciphers
    at += 1 + hello.readUInt8(at); // compression
    const end = at + 2 + hello.readUInt16BE(at);
    for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2)) {
      if (hello.readUInt16BE(at) !== SERVER_NAME) continue;
      // A list with one entry: the list's size, the kind of name, of which there is one, and the name's size.
      const name = hello.toString("latin1", at + 9, at + 9 + hello.readUInt16BE(at + 7));
      return NAME.test(name) ? name : null;
    }
  } catch {} // cut short
  return null;
}
