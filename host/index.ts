/** What `import … from "waterspout"` gives. */

export type { RefusalName } from "./bridge/refusals.js";
export type { ServerStats, WorkerStats } from "./bridge/stats.js";
export { AsyncHTTPClient, type HTTPClientOptions } from "./client/asynchttpclient.js";
export type { Connector } from "./client/happyeyeballs.js";
export {
  HTTPClientError,
  type HTTPClientErrorOptions,
  HTTPStreamClosedError,
  HTTPTimeoutError,
} from "./client/httpclienterrors.js";
export type { BodyProducer, FetchOptions, HTTPRequest } from "./client/httprequest.js";
export { HTTPResponse } from "./client/httpresponse.js";
export { type ConnectOptions, type Resolver, TCPClient, type TCPClientOptions } from "./client/tcpclient.js";
export {
  WebSocketClientConnection,
  type WebSocketConnectOptions,
  type WebSocketRequest,
  websocketConnect,
} from "./client/websocketclient.js";
export type { Address, ListeningSocket } from "./core/address.js";
export type { Data } from "./core/data.js";
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
} from "./core/errors.js";
export {
  escapeHTML,
  escapeHTML as xhtmlEscape,
  jsonDecode,
  jsonEncode,
  squeeze,
  toUnicode,
  urlEscape,
  urlUnescape,
  utf8,
  xhtmlUnescape,
} from "./core/escape.js";
export type { Logger } from "./core/log.js";
export type { RuntimeName } from "./core/runtimename.js";
export type { FetchInfo } from "./fetch/info.js";
export type { ServedRequest } from "./fetch/request.js";
export type { AccessEntry, AccessLog, AccessLogOption } from "./http/accesslog.js";
export type { ContentCoding } from "./http/compression/acceptencoding.js";
export type { CompressionOptions } from "./http/compression/options.js";
export { type CookieAttributes, parseCookies, parseCookies as parseCookie, setCookie } from "./http/cookies.js";
export type { Form, FormFile, FormOptions, FormPart } from "./http/form/form.js";
export type { FormLimits } from "./http/form/limits.js";
export {
  type BodyArguments,
  type HTTPFile,
  parseBodyArguments,
  parseMultipartFormData,
} from "./http/form/wholeform.js";
export { type HeadersInput, HTTPHeaders } from "./http/headers.js";
export {
  encodeUsernamePassword,
  formatTimestamp,
  parseRequestStartLine,
  parseResponseStartLine,
  qsToQsl,
  type RequestStartLine,
  type ResponseStartLine,
  splitHostAndPort,
  type UrlArguments,
  urlConcat,
} from "./http/httputil.js";
export type { RequestFinishMessage, RequestStartMessage } from "./http/observing.js";
export { HTTPServerRequest } from "./http/request.js";
export { HTTPConnection } from "./http/response.js";
export { type TraceContext, traceContextOf } from "./http/tracecontext.js";
export { addAcceptHandler } from "./ioloop/accepting.js";
export { IOLoop, type TimeoutHandle } from "./ioloop/ioloop.js";
export { PeriodicCallback } from "./ioloop/periodiccallback.js";
export type { IOHandler, Watchable } from "./ioloop/watch.js";
export { type MetricsRegistry, registerMetrics } from "./metrics/prometheus.js";
export type { ServingState } from "./metrics/report.js";
export { type BindOptions, bindSockets, isValidIp } from "./net/bind.js";
export { taskId } from "./net/inheritedsockets.js";
export { type BindUnixOptions, bindUnixSocket } from "./net/unixsocket.js";
export type { NodeListener } from "./nodehttp/listener.js";
export type { NodeListenOptions } from "./nodehttp/listenoptions.js";
export type { NodeServerOptions } from "./nodehttp/options.js";
export { createServer, NodeServer } from "./nodehttp/server.js";
export { type FetchHandler, FetchServer, fetchCallback, type ServeOptions, serve } from "./server/fetchserver.js";
export {
  type Answering,
  type HandlerFinder,
  HTTPServer,
  type RequestCallback,
  type RequestListener,
} from "./server/httpserver.js";
export { InjectedAnswer, type InjectedRequest, inject } from "./server/inject.js";
export type { InspectOptions, ServerOptions } from "./server/options.js";
export { TCPServer } from "./server/tcpserver.js";
export { define, parseCommandLine, parseConfigFile } from "./settings/define.js";
export type { Setting, Settings, SettingValue, SettingValues } from "./settings/settings.js";
export { BaseIOStream } from "./stream/baseiostream.js";
export type { WebStreams } from "./stream/conversion.js";
export { IOStream } from "./stream/iostream.js";
export { streamFromNode, streamFromWeb } from "./stream/nodestream.js";
export type { StreamOptions } from "./stream/settings.js";
export type { ClientSSLOptions } from "./tls/client.js";
export { type CertificateFiles, type CertReqs, type SSLOptions, TLSContexts, type TLSInfo } from "./tls/contexts.js";
export type { StartTLSOptions } from "./tls/starttls.js";
export * from "./web/index.js";
export type {
  ServerWebSocket,
  ServerWebSocketEvents,
  WebSocketCloseEvent,
} from "./web/serverwebsocket.js";
export { type UpgradeWebSocketOptions, upgradeWebSocket, type WebSocketUpgrade } from "./web/upgradewebsocket.js";
export { WebSocketHandler, type WebSocketSettings } from "./web/websockethandler.js";
export type { MessageCompressionOptions } from "./websocket/permessagedeflate.js";
export { watchFile } from "./workers/autoreload.js";
export { cpuCount, forkProcesses } from "./workers/fork.js";
