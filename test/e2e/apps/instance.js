// A stream server for tests: plain JavaScript, and an instance instead of a class.
import { TCPServer } from "waterspout";

class Greeter extends TCPServer {
  async handleStream(stream) {
    await stream.write("instance\n");
    stream.close();
  }
}

export default new Greeter();
