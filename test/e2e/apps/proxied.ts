// What examples/sandboxed/proxied.ts answers, in TypeScript; its server's options come from the environment.
import { HTTPServer } from "waterspout";

export default new HTTPServer(
  (request) => {
    const address = request.remoteAddress;
    const text = address === null ? "unknown" : `${address.address} ${address.port}`;
    request.respond(200, { "Content-Type": "text/plain" }, text);
  },
  { proxyProtocol: true, ...JSON.parse(process.env.SERVER_OPTIONS ?? "{}") },
);
