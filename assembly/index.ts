// What an AssemblyScript application imports: `import { HTTPServer, … } from "waterspout/assembly"`.

import * as stats from "./stats";

export { Address } from "./address";
export { bytesInUse, setMemoryBytesMax } from "./buffer";
export * from "./errors";
export { HTTPServer } from "./httpserver";
export { LoggingHTTPHandler as HTTPHandler } from "./httplog";
export { HTTPConnection, HTTPServerRequest, Method } from "./httputil";
export { Callback, EventHandler, IOLoop, READ, Timeout, WRITE } from "./ioloop";
export { IOStream, StreamHandler } from "./iostream";
export { AcceptHandler, Acceptor, addAcceptHandler, bindSockets } from "./netutil";
export { PeriodicCallback } from "./periodiccallback";
export { FOREVER, _start, turn } from "./run";
export { stats };
export { TCPServer } from "./tcpserver";
export { WebSocketConnection } from "./websocket";
export { WebSocketHandler, isSameOrigin } from "./websockethandler";
