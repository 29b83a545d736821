// Prints the status of an answer that the handler has forgotten to give.
import { once } from "node:events";
import http from "node:http";

const { HTTPServer } = await import("../../../dist/host/index.js");

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const server = new HTTPServer(() => {}, { runtime: "node", logger });
const listening = server.listen(0);
await listening;
const request = http.get({ port: server.addresses[0].port, agent: false });
const [answer] = await once(request, "response");
console.log(answer.statusCode);
answer.resume();
await server.stop();
