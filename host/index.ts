/** What `import … from "waterspout"` gives. */
export type { Address, ListeningSocket } from "./address.js";
export {
  AlreadyReadingError,
  BindError,
  BodyTooLargeError,
  HeaderError,
  HTTPOutputError,
  OptionError,
  ProtocolError,
  type Reason,
  RuntimeUnavailableError,
  StreamBufferFullError,
  StreamClosedError,
  UnsatisfiableReadError,
  WaterspoutError,
  WorkerError,
} from "./errors.js";
export { type HeadersInput, HTTPHeaders } from "./httpheaders.js";
export { HTTPServerRequest } from "./httprequest.js";
export { HTTPConnection } from "./httpresponse.js";
export { HTTPServer, type RequestHandler } from "./httpserver.js";
export { IOLoop, type TimeoutHandle } from "./ioloop.js";
export { IOStream } from "./iostream.js";
export type { Logger } from "./log.js";
export { type BindOptions, bindSockets } from "./netutil.js";
export type { RuntimeName, ServerOptions } from "./options.js";
export type { Data } from "./outflow.js";
export { TCPServer } from "./tcpserver.js";
