// A stream server for tests whose handler throws at once, before any promise is there, on every second connection.
import { type IOStream, TCPServer } from "waterspout";

export default class Thrower extends TCPServer {
  private connections = 0;

  override handleStream(stream: IOStream): void {
    if (this.connections++ % 2 === 0) throw new Error("thrown by the handler");
    void stream.write("fine\n").then(() => stream.close());
  }
}
