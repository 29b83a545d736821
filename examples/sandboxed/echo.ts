// A line echo as an AssemblyScript application: `wasmtime run -S preview2=n -S tcplisten=127.0.0.1:8888
// build/echo.wasm` sends each line back with no Node at all. It does what examples/echo.ts does.

import { Address, IOStream, StreamHandler, TCPServer } from "../../assembly/index";

export { _start, turn, drain, supervised } from "../../assembly/index";

const LINE_BYTES_MAX: i32 = 64 * 1024;
/** More than this of a client's answers waits for it to read: then it is not read either. */
const UNSENT_BYTES_MAX: i32 = 64 * 1024;
const newline: usize = memory.data<u8>([0x0a]);

/** One handler for all connections: a stream knows everything that there is to know. */
class Lines extends StreamHandler {
  next(stream: IOStream): void {
    stream.readUntil(newline, 1, LINE_BYTES_MAX);
  }

  onRead(stream: IOStream, source: usize, size: i32): void {
    stream.write(source, size);
    if (stream.unsent <= UNSENT_BYTES_MAX) this.next(stream);
    else stream.readAhead = 0;
  }

  onSent(stream: IOStream): void {
    if (stream.unsent || stream.reading) return;
    stream.readAhead = LINE_BYTES_MAX;
    this.next(stream);
  }

  onEnd(stream: IOStream): void {
    stream.finish(false);
  }
}

const lines = new Lines();

class Echo extends TCPServer {
  handleStream(stream: IOStream, address: Address | null): void {
    stream.setHandler(lines);
    lines.next(stream);
  }
}

new Echo().listen();
