// What is exported is served, and the program's own server listens beside it; a later one is Node's.
import http from "node:http";
import net from "node:net";

const own = http.createServer((_request, response) => response.end("its own")).listen(0);

export default {
  async fetch() {
    const later = http.createServer();
    return Response.json([
      await (await fetch(`http://127.0.0.1:${own.address().port}/`)).text(),
      later instanceof net.Server,
    ]);
  },
};
