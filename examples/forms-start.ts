// The second of Tornado's three forms: `bind`, then `start` with a number of processes; 0 is one a processor.
//
//     npx tsx examples/forms-start.ts
//     nc 127.0.0.1 8888
import { type IOStream, TCPServer, taskId } from "waterspout";

class Echo extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    for (;;) {
      const line = await stream.readUntil("\n");
      await stream.write(`${taskId() ?? "main"} ${process.pid} ${line}`);
    }
  }
}

const server = new Echo();
server.bind(Number(process.env.PORT ?? 8888));
await server.start(Number(process.env.PROCESSES ?? 0)); // the program runs again in each process and goes on from here

const [address] = server.addresses;
console.log(`process ${taskId() ?? "main"} serves port ${address?.port}`);
