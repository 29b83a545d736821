// An AssemblyScript application behind a proxy that ends TLS and sends PROXY protocol headers: HAProxy with
// `send-proxy-v2`, for example. It answers every request with its client's address, which WASI preview1 cannot tell and
// the header does.

import { HTTPHandler, HTTPServer, HTTPServerRequest } from "../../assembly/index";

export { _start, turn, drain, supervised } from "../../assembly/index";

class Proxied extends HTTPHandler {
  headersReceived(request: HTTPServerRequest): void {
    const address = request.address;
    const text = address ? `${address.host} ${address.port}` : "unknown";
    request.respond(200, "text/plain", text);
  }
}

const server = new HTTPServer(new Proxied());
server.useProxyProtocol();
server.listen();
