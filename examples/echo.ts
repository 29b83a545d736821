// A TCP server that sends each line back, the "hello world" of Tornado's TCPServer.
//
//     waterspout run examples/echo.ts
//     nc 127.0.0.1 8888
import { type IOStream, StreamClosedError, TCPServer } from "waterspout";

const LINE_BYTES_MAX = 64 * 1024;

export default class Echo extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    try {
      for (;;) {
        const line = await stream.readUntil("\n", LINE_BYTES_MAX);
        await stream.write(line); // waits while the client does not read: nothing piles up
      }
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
    } finally {
      stream.close();
    }
  }
}
