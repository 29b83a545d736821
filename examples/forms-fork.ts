// The third of Tornado's three forms, the most flexible: sockets first, then processes, then a server in each of them.
//
//     npx tsx examples/forms-fork.ts
//     nc 127.0.0.1 8888
import { bindSockets, forkProcesses, type IOStream, TCPServer } from "waterspout";

const sockets = await bindSockets(Number(process.env.PORT ?? 8888));
const task = await forkProcesses(Number(process.env.PROCESSES ?? 0)); // from here on it is a worker process, with its number

class Echo extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    for (;;) {
      const line = await stream.readUntil("\n");
      await stream.write(`${task} ${process.pid} ${line}`);
    }
  }
}

const server = new Echo();
await server.addSockets(sockets);
console.log(`process ${task} serves port ${server.addresses[0]?.port}`);
