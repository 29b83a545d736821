// A program with worker processes for tests: a line of a connection says what the worker shall do.
import { setTimeout as sleep } from "node:timers/promises";
import { bindSockets, bindUnixSocket, forkProcesses, type IOStream, TCPServer, taskId } from "waterspout";

const { PORT, SOCKET, PROCESSES = "2", MAX_RESTARTS = "100", OWN_HANDLER, FAIL_IN_WORKER } = process.env;

class Worker extends TCPServer {
  override async handleStream(stream: IOStream): Promise<void> {
    for (;;) {
      const [command, argument] = (await stream.readUntil("\n")).toString().trim().split(" ");
      if (command === "exit") process.exit(Number(argument));
      if (command === "stop") void this.stop().then(() => process.exit(0));
      if (command === "busy") for (const end = Date.now() + Number(argument); Date.now() < end; );
      if (command === "sleep") {
        await stream.write("asleep\n");
        await sleep(Number(argument));
      }
      await stream.write(`${taskId()} ${process.pid}\n`);
    }
  }
}

// Two calls that look alike: each worker has to get the sockets of both, in their order.
const sockets = [...(await bindSockets(Number(PORT))), ...(await bindSockets(0))];
if (SOCKET) sockets.push(await bindUnixSocket(SOCKET));
const task = await forkProcesses(Number(PROCESSES), Number(MAX_RESTARTS));
if (FAIL_IN_WORKER === String(task)) throw new Error("failed on purpose");
const server = new Worker();
await server.addSockets(sockets);
if (OWN_HANDLER) process.on("SIGTERM", () => console.log("a handler of its own") ?? process.exit(3));
const ports = server.addresses.filter(({ family }) => family !== "unix").map(({ port }) => port);
console.log(`worker ${task} serves port ${ports.join(" and ")}`);
