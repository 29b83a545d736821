/** What `import … from "waterspout"` gives. */

export type { ContentCoding } from "./acceptencoding.js";
export { addAcceptHandler } from "./accepting.js";
export type { AccessEntry, AccessLog, AccessLogOption } from "./accesslog.js";
export type { Address, ListeningSocket } from "./address.js";
export { watchFile } from "./autoreload.js";
export { BaseIOStream } from "./baseiostream.js";
export type { ClientSSLOptions } from "./clientsockets.js";
export type { CompressionOptions } from "./compression.js";
export { type CookieAttributes, parseCookies, setCookie } from "./cookies.js";
export { define, parseCommandLine, parseConfigFile } from "./define.js";
export {
  AlreadyReadingError,
  BindError,
  BodiesFullError,
  BodyTooLargeError,
  ConnectError,
  type ConnectPhase,
  ConnectTimeoutError,
  HeaderError,
  HTTPInputError,
  HTTPOutputError,
  IOLoopError,
  NoAnswerError,
  OptionError,
  ProtocolError,
  type Reason,
  RuntimeUnavailableError,
  StreamBufferFullError,
  StreamClosedError,
  StreamNotIdleError,
  TimeoutError,
  TLSConfigError,
  TLSHandshakeError,
  UnsatisfiableReadError,
  WaterspoutError,
  WebSocketClosedError,
  WorkerError,
} from "./errors.js";
export { type FetchHandler, FetchServer, fetchCallback, type ServeOptions, serve } from "./fetch.js";
export type { Form, FormFile, FormOptions, FormPart } from "./form.js";
export type { FormLimits } from "./formlimits.js";
export type { Connector } from "./happyeyeballs.js";
export { type HeadersInput, HTTPHeaders } from "./httpheaders.js";
export { HTTPServerRequest } from "./httprequest.js";
export { HTTPConnection } from "./httpresponse.js";
export {
  type Answering,
  type HandlerFinder,
  HTTPServer,
  type RequestCallback,
  type RequestListener,
} from "./httpserver.js";
export { taskId } from "./inheritance.js";
export { InjectedAnswer, type InjectedRequest, inject } from "./inject.js";
export type { InspectOptions } from "./inspect/options.js";
export type { ServingState } from "./inspect/report.js";
export type { IOHandler, Watchable } from "./iohandlers.js";
export { IOLoop, type TimeoutHandle } from "./ioloop.js";
export { IOStream } from "./iostream.js";
export type { Logger } from "./log.js";
export { type MetricsRegistry, registerMetrics } from "./metrics.js";
export { type BindOptions, bindSockets, isValidIp } from "./netutil.js";
export type { NodeListener } from "./nodehttp/listener.js";
export { createServer, type NodeListenOptions, NodeServer } from "./nodehttp/server.js";
export { type StreamOptions, streamFromNode, streamFromWeb } from "./nodestream.js";
export type { RuntimeName, ServerOptions } from "./options.js";
export type { Data } from "./outflow.js";
export { PeriodicCallback } from "./periodiccallback.js";
export type { MessageCompressionOptions } from "./permessagedeflate.js";
export { cpuCount, forkProcesses } from "./processes.js";
export type { RefusalName } from "./refusals.js";
export type { Setting, Settings, SettingValue, SettingValues } from "./settings.js";
export type { ServerStats, WorkerStats } from "./stats.js";
export type { WebStreams } from "./streamconversion.js";
export { type ConnectOptions, type Resolver, TCPClient, type TCPClientOptions } from "./tcpclient.js";
export { TCPServer } from "./tcpserver.js";
export { type CertificateFiles, type CertReqs, type SSLOptions, TLSContexts, type TLSInfo } from "./tls.js";
export type { StartTLSOptions } from "./tlsengine.js";
export { type BindUnixOptions, bindUnixSocket } from "./unixsocket.js";
export * from "./web/index.js";
export { WebSocketHandler, type WebSocketSettings } from "./websocket.js";
