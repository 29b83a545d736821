// A listener that throws: as with Node's server it ends the program, which has no listener of uncaughtException.
const http = require("node:http");

const server = http.createServer(() => {
  throw new Error("thrown on purpose");
});
server.listen(0, "127.0.0.1", () => http.get({ port: server.address().port }).on("error", () => {}));
