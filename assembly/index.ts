// What an AssemblyScript application imports: `import { HTTPServer, … } from "waterspout/assembly"`.

import * as stats from "./core/stats";

export { Address } from "./core/address";
export { Buffer, bytesInUse, setMemoryBytesMax } from "./bytes/buffer";
export { ConnectHandler, PendingConnect, TCPClient } from "./client/tcpclient";
export * from "./core/connectreasons";
export * from "./core/errors";
export { ClientConnectionOwner, HTTP1ClientConnection, ResponseHandler } from "./http/clientconnection";
export { OutgoingHead } from "./http/outgoinghead";
export { HTTP1Connection } from "./http/connection";
export { HTTPServer } from "./http/server";
export { openTunnel } from "./http/tunnel";
export { LoggingHTTPHandler as HTTPHandler } from "./http/log";
export { HTTPConnection, HTTPServerRequest, Method } from "./http/request";
export { Callback, EventHandler, IOLoop, READ, Timeout, WRITE } from "./loop/ioloop";
export { IOStream, StreamHandler } from "./stream/iostream";
export { AcceptHandler, Acceptor, addAcceptHandler, bindSockets } from "./server/acceptor";
export { PeriodicCallback } from "./loop/periodiccallback";
export { FOREVER, _start, turn } from "./loop/entry";
export { drain, supervised } from "./server/draining";
export { stats };
export { isHopByHop } from "./protocol/http/hopbyhop";
export { handshakeKey, offersWebSocket } from "./protocol/websocket/handshake";
export { TCPServer } from "./server/tcpserver";
export { environment, programArguments } from "./wasi/environment";
export { WebSocketConnection } from "./websocket/connection";
export { WebSocketHandler, isSameOrigin } from "./websocket/handler";
