// As most CommonJS: nothing is exported, and what listens does so when the module has been loaded.
const { Server } = require("node:http");

async function main() {
  const { setTimeout: sleep } = require("node:timers/promises");
  await sleep(20);
  const server = new Server();
  server.on("request", (request, response) => response.end(`later ${request.url}`));
  server.listen({ port: process.env.PORT, path: false, host: process.env.HOST });
  setInterval(() => {}, 1e6); // such as a pool of connections
}
main();
