// Servers in each way in which a program makes one: where they listen, in the turn of `listen`, and what they are.
const http = require("node:http");
const net = require("node:net");

const answer = (req, res) => res.end(`you want ${req.url}\n`);

class Extended extends http.Server {
  name = "extended";
}

async function main() {
  const { createServer } = await import("node:http");
  const servers = {
    createServer: createServer(answer),
    require: http.createServer({ keepAliveTimeout: 1000 }, answer),
    new: new http.Server(answer),
    call: http.Server(answer),
    extends: new Extended(answer),
    event: http.createServer().on("request", answer),
  };
  for (const [way, server] of Object.entries(servers)) {
    const { address, port } = server.listen(0).address();
    const isOurs = server instanceof http.Server && !(server instanceof net.Server);
    const urls = ["127.0.0.1", "[::1]"].map((host) => `http://${host}:${port}/${way}`);
    const [text] = await Promise.all(
      urls.map(async (url) => (await fetch(url)).text()).slice(0, address === "::" ? 2 : 1),
    );
    console.log(JSON.stringify({ way, isOurs, text, name: server.name }));
    server.close();
  }
}
main();
