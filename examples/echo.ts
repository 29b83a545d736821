// A TCP server that sends each line back, the "hello world" of Tornado's TCPServer.
//
//     waterspout run examples/echo.ts
//     nc 127.0.0.1 8888
import { type IOStream, TCPServer } from "waterspout";

const LINE_BYTES_MAX = 64 * 1024;

export default class Echo extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    for (;;) {
      const line = await stream.readUntil("\n", LINE_BYTES_MAX); // rejects when the client has left, which ends this
      await stream.write(line); // waits while the client does not read: nothing piles up
    }
  }
}
