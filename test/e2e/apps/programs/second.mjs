// Only the first is served by the command. The answer of each is the port of the other.
import { createServer } from "node:http";

const servers = [0, 1].map((index) => {
  return createServer((_request, response) => response.end(String(servers[1 - index].address().port)));
});
for (const server of servers) server.listen(0, "127.0.0.1");
