// A stream server for tests: each line comes back; the line "stop" stops the server first, "flood" is answered without
// an end. Its options are those of $SERVER_OPTIONS, as JSON.
import { type IOStream, StreamClosedError, TCPServer } from "waterspout";

const BLOCK = Buffer.alloc(64 * 1024, "x");

class Stopping extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    try {
      for (;;) await this.answer(stream, (await stream.readUntil("\n", 100)).toString());
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
      if (error.reason !== "END") console.error(`closed: ${error.reason}`);
    } finally {
      stream.close();
    }
  }

  private async answer(stream: IOStream, line: string): Promise<void> {
    if (line === "stop\n") void this.stop();
    while (line === "flood\n") await stream.write(BLOCK);
    await stream.write(line);
  }
}

export default new Stopping(JSON.parse(process.env.SERVER_OPTIONS ?? "{}"));
