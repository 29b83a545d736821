// What iostream.test.ts serves: the first line of a connection names a use of IOStream, and its argument.
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { pipeline } from "node:stream/promises";
import { type IOStream, type ServerOptions, TCPServer, WaterspoutError } from "waterspout";

const MIB = 1 << 20;
/** "go" on one connection lets "slowly" on another begin to read. */
const gate = new EventEmitter();

export default class Reads extends TCPServer {
  constructor(given: ServerOptions) {
    super({ ...given, bufferBytesMax: 5 * MIB, readChunkBytes: 1000, writeBufferBytesMax: 2 * MIB });
  }

  override async handleStream(stream: IOStream): Promise<void> {
    const [command, argument] = (await stream.readUntil("\n")).toString().trim().split(" ");
    await this.obey(stream, command, Number(argument));
    stream.close();
  }

  private async obey(stream: IOStream, command: string, count: number): Promise<unknown> {
    switch (command) {
      case "until":
        return stream.write(await reported(stream.readUntil("\n", count)));
      case "regex":
        return stream.write(await reported(stream.readUntilRegex(/\r?\n/, count)));
      case "mixed": {
        // All kinds of reads, one behind the other, over whatever pieces the bytes have come in.
        const key = await stream.readUntilRegex(/: /); // of a fixed length: a match may not depend on how much has come
        const size = Number((await stream.readUntil("\r\n")).toString());
        const first = Buffer.alloc(3);
        await stream.readInto(first);
        const rest = await stream.readBytes(size - 3);
        const end = await stream.readUntilRegex(/\n\n|\r\n\r\n/);
        const last = await stream.readUntilClose();
        return stream.write([key, first, rest, end, last].join("|"));
      }
      case "slowly": {
        await once(gate, "go");
        const hash = createHash("sha256");
        for (let left = count; left > 0; left -= MIB) hash.update(await stream.readBytes(Math.min(left, MIB)));
        return stream.write(hash.digest("hex"));
      }
      case "go":
        gate.emit("go");
        return stream.write("gone");
      case "more":
        return stream.write(await reported(stream.readBytes(count)));
      case "into": {
        const target = Buffer.alloc(count);
        const some = await stream.readInto(target, { partial: true });
        await stream.readInto(target.subarray(some));
        return stream.write(target);
      }
      case "pieces": {
        let largest = 0;
        for await (const piece of stream) largest = Math.max(largest, piece.length);
        return stream.write(String(largest));
      }
      case "flood": {
        const first = stream.write(Buffer.alloc(2 * MIB, "x"));
        const second = await reported(Promise.resolve().then(() => stream.write(Buffer.alloc(MIB, "y"))));
        await first;
        return stream.write(`${second} ${stream.closed}`);
      }
      case "unread":
        stream.setCloseCallback(() => console.error(`closed with unread data: ${stream.error?.reason}`));
        await stream.write("watching\n");
        return new Promise(() => {});
      case "reset": {
        await stream.write("reading\n");
        console.error(`it says ${await reported(stream.readBytes(1))}`);
        return;
      }
      case "nodelay":
        return stream.write(`${stream.setNodelay(false)} ${stream.setNodelay(true)}`);
      case "web": {
        const { readable, writable } = stream.toWeb();
        return readable.pipeTo(writable);
      }
      case "node": {
        const duplex = stream.toNode();
        return pipeline(duplex, duplex);
      }
      default:
        throw new Error(`no command "${command}"`);
    }
  }
}

/** What was read, or the error's code and reason. */
async function reported(result: Promise<unknown>): Promise<Buffer | string> {
  try {
    const value = await result;
    return Buffer.isBuffer(value) ? value : String(value);
  } catch (error) {
    if (!(error instanceof WaterspoutError)) throw error;
    return "reason" in error ? `${error.code} ${error.reason}` : error.code;
  }
}
