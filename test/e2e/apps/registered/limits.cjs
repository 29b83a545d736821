// Says which limits a server has when none is set, and whether it takes a body of a terabyte.
const http = require("node:http");

const server = http.createServer((_req, res) => res.writeHead(200, { connection: "close" }).end());
const { keepAliveTimeout, headersTimeout, requestTimeout } = server;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const upload = http.request({ port, method: "POST", headers: { "content-length": 2 ** 40 } }, ({ statusCode }) => {
    console.log(JSON.stringify([keepAliveTimeout, headersTimeout, requestTimeout, statusCode]));
    process.exit();
  });
  upload.flushHeaders();
});
