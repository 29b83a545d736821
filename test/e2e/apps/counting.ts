// An HTTP server for tests that look into it: it answers with its stats, stops itself, and closes its connections.
import { HTTPServer, type HTTPServerRequest } from "waterspout";

const server: HTTPServer = new HTTPServer((request) => obey(request), { connectionsMax: 2000 });
export default server;

async function obey(request: HTTPServerRequest): Promise<void> {
  const argument = Number(request.query.get("ms") ?? 0);
  switch (request.path) {
    case "/stats":
      return request.respond(200, {}, JSON.stringify(await server.stats()));
    case "/stop":
      void server.stop(argument);
      void server.stop(); // changes nothing
      return request.respond(200, {}, "stopping");
    case "/close":
      void server.closeAllConnections();
      return;
    case "/stop-and-close":
      void server.stop();
      void server.closeAllConnections();
      return;
    case "/slow":
      await new Promise((resolve) => setTimeout(resolve, argument).unref());
      return request.respond(200, {}, "slept");
    default:
      return request.respond(200, {}, "Hello, world");
  }
}
