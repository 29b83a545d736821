// Prints what becomes of sockets: who answers, the file's mode, and whether other processes could accept.
import { statSync } from "node:fs";
import http from "node:http";

const { bindSockets, bindUnixSocket, HTTPServer } = await import("../../../dist/host/index.js");

const file = `${process.argv[2]}/${process.pid}.sock`;

async function answerOf(sockets, options) {
  const server = new HTTPServer((request) =>
    request.respond(200, {}, sockets[0].address.family === "unix" ? "unix" : "tcp"),
  );
  await server.addSockets(sockets);
  const mode = options.socketPath === undefined ? null : (statSync(file).mode & 0o777).toString(8);
  const answer = await new Promise((resolve, reject) => {
    http.get({ ...options, agent: false }, resolve).on("error", reject);
  });
  let text = "";
  for await (const block of answer) text += block;
  await server.stop();
  return [text, mode];
}

const sockets = await bindSockets(0, "127.0.0.1", { runtime: "node" });
const shared = typeof sockets[0].sharedFd === "number";
const [tcp] = await answerOf(sockets, { port: sockets[0].address.port });
const [unix, mode] = await answerOf([await bindUnixSocket(file, { runtime: "node" })], { socketPath: file });
let wasmtime = null;
try {
  for (const socket of await bindSockets(0, "127.0.0.1", { runtime: "wasmtime" })) socket.close();
} catch (error) {
  wasmtime = error.name;
}
console.log(JSON.stringify({ tcp, unix, mode, shared, wasmtime }));
