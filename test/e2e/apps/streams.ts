// A stream server for tests: the first line of a connection names what the handler shall do with it.
import { createHash } from "node:crypto";
import { type Address, type IOStream, TCPServer } from "waterspout";

const BLOCK = Buffer.alloc(64 * 1024, "x");

export default class Streams extends TCPServer {
  override async handleStream(stream: IOStream, address: Address | null): Promise<void> {
    const line = (await stream.readUntil("\n", 100)).toString();
    const [command, argument] = line.trim().split(" ");
    await this.obey(stream, command, Number(argument), address);
    stream.close();
  }

  private async obey(stream: IOStream, command: string, count: number, address: Address | null): Promise<void> {
    switch (command) {
      case "reject":
        throw new Error("rejected by the handler");
      case "address":
        return stream.write(JSON.stringify(address));
      case "bytes":
        return stream.write(digest([await stream.readBytes(count)]));
      case "partial":
        return stream.write(digest([await stream.readBytes(count, { partial: true })]));
      case "rest":
        return stream.write(digest([await stream.readUntilClose()]));
      case "iterate": {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk);
        return stream.write(digest(chunks));
      }
      case "pieces":
        for (let left = count; left > 0; left -= BLOCK.length) await stream.write(BLOCK.subarray(0, left));
        return;
      case "unawaited":
        for (let i = 0; i < count; i++) void stream.write(`${i}\n`);
        return;
      case "watch":
        stream.setCloseCallback(() => console.error("the close callback ran"));
        await stream.write("watching\n");
        return new Promise(() => {});
      case "twice": {
        // A second read while one is pending is the handler's mistake; the first must not suffer from it.
        const first = stream.readUntil("\n");
        const second = await stream.readUntil("\n").catch(() => "refused ");
        await stream.write(second);
        return stream.write(await first);
      }
    }
  }
}

function digest(chunks: Buffer[]): string {
  const bytes = Buffer.concat(chunks);
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
}
