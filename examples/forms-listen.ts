// The first of Tornado's three forms: one process, and `listen` for each port, at any time.
//
//     npx tsx examples/forms-listen.ts
//     nc 127.0.0.1 8888
import { type IOStream, TCPServer } from "waterspout";

class Echo extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    for (;;) await stream.write(await stream.readUntil("\n"));
  }
}

const port = Number(process.env.PORT ?? 8888);
const server = new Echo();
await server.listen(port); // serves at once
await server.listen(port && port + 1); // and another port

for (const address of server.addresses) console.log(`listening on port ${address.port}`);
process.once("SIGTERM", () => server.stop());
