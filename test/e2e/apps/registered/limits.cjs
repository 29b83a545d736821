// Says which limits a server has when none is set, and whether it takes a body of a terabyte, and heads on both sides
// of Node's limit.
const http = require("node:http");

const server = http.createServer((_req, res) => res.writeHead(200, { connection: "close" }).end());
const { keepAliveTimeout, headersTimeout, requestTimeout } = server;
server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  const statusOf = (headers) =>
    new Promise((resolve) => {
      const upload = http.request({ port, method: "POST", headers }, ({ statusCode }) => resolve(statusCode));
      upload.on("error", () => {}).flushHeaders();
    });
  const statuses = [
    await statusOf({ "content-length": 2 ** 40 }),
    await statusOf({ x: "x".repeat(http.maxHeaderSize - 500) }),
    await statusOf({ x: "x".repeat(http.maxHeaderSize) }),
  ];
  console.log(JSON.stringify([keepAliveTimeout, headersTimeout, requestTimeout, ...statuses]));
  process.exit();
});
