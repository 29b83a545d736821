/** Why a test of others does not pass, in the words of docs/compat.md. The keys are the folders of suites.mjs. */

const STRICT = "sends what the sandbox refuses with 400 ([http.md](http.md)), and Node takes";
const ADDRESS = "one of the [differences](node-handlers.md#differences): a client's address is not known";
const DIFFERENCE = "one of the [differences](node-handlers.md#differences): ";

/** For what fails with the runtime `wasmtime` alone. One without tests is for all of a suite. */
export const WASMTIME_REASONS = {
  express: [
    {
      why: ADDRESS,
      tests: [
        'req .ip when X-Forwarded-For is present when "trust proxy" is enabled should return the addr after trusted proxy based on list',
        'req .ip when X-Forwarded-For is present when "trust proxy" is disabled should return the remote address',
        "req .ip when X-Forwarded-For is not present should return the remote address",
      ],
    },
    {
      why: "counts on hearing of a client that leaves before a small file is read: from another process that takes longer",
      tests: ["res .sendFile(path, fn) should invoke the callback when client aborts"],
    },
  ],
  koa: [
    {
      why: "counts on hearing within 50 ms of a client that leaves in the middle of an answer: from another process that may take 250 ms",
      tests: ["respond.test.js: should cleanup streams on client abort"],
    },
  ],
  morgan: [
    { why: ADDRESS, tests: ["morgan() tokens :remote-addr should work when req.ip is a getter"] },
    {
      why: "measures from before the server's start, which takes longer in a process of its own",
      tests: [
        "morgan() tokens :total-time should include response write time",
        "morgan() with buffer option should flush log periodically",
        "morgan() with buffer option should accept custom interval",
      ],
    },
  ],
  "node-server": [
    {
      why: `${DIFFERENCE}between two requests a socket's \`destroy\` does not end the connection`,
      tests: ["posts", "no-body-consumed", "body-cancelled"].map(
        (path) => `autoCleanupIncoming: true (default) http Should return 200 response - POST /${path}`,
      ),
    },
  ],
};

const row = (why, names) => ({ why, tests: names.trim().split(/\s+/) });

export const REASONS = {
  node: [
    row(
      "looks into Node's server: its parser, its list of connections, its timer, its listeners, the calls that reach a socket",
      `connect dump-req-when-res-ends information-headers max-http-headers nodelay outgoing-properties
       parser-freed-before-upgrade parser-memory-retention req-close-robust-from-tampering response-cork
       server-async-dispose server-clear-timer server-close-destroy-timeout server-connection-list-when-close
       server-delete-parser server-keepalive-end agent-domain-reused-gc`,
    ),
    row(
      STRICT,
      `chunk-extensions-limit insecure-parser insecure-parser-per-stream max-header-size-per-stream
       request-method-delete-payload server-unconsume-consume transfer-encoding-repeated-chunked`,
    ),
    row(
      `${DIFFERENCE}\`clientError\` comes once for a connection; sockets have no \`error\` of it`,
      `header-overflow parser-finish-error server-client-error server-destroy-socket-on-client-error
       server-multiple-client-error socket-error-listeners`,
    ),
    row(
      `${DIFFERENCE}the sandbox writes Connection, Transfer-Encoding and Content-Length of an answer`,
      `raw-headers remove-connection-header-persists-connection remove-header-stays-removed
       server-close-all server-close-idle`,
    ),
    row(
      "has several requests of one connection parsed at once: the sandbox parses the next one when the answer is complete",
      `blank-header incoming-pipelined-socket-destroy parser-freed-during-execute
       pipeline-assertionerror-finish pipeline-flood server-keep-alive-timeout`,
    ),
    row(`${DIFFERENCE}nothing can be read from a request's socket`, "no-read-no-dump server-unconsume"),
    row(
      `${DIFFERENCE}what is written after the client has ended its side is sent, so \`finish\` comes as well as \`close\``,
      "writable-true-after-close",
    ),
  ],
  "node-server": [
    {
      why: `${DIFFERENCE}a request whose client has ended its side can still be answered, so it is kept, and its connection's last one until the descriptor is used again`,
      tests: [
        "Memory leak test Should not have memory leak - GET /abort",
        "WebSocket should not leak the request when a handshake is aborted by an invalid Sec-WebSocket-Key",
      ],
    },
  ],
  supertest: [
    {
      why: `${DIFFERENCE}a connection that comes in the moment of \`close\` is still answered, with \`Connection: close\``,
      tests: ["request(app) .end(fn) should handle error returned when server goes down"],
    },
  ],
  ws: [
    {
      why: `${DIFFERENCE}\`end\` of an upgraded connection ends both of its sides`,
      tests: ["WebSocket permessage-deflate #send calls the callback if the socket is closed prematurely"],
    },
    {
      why: "counts on a reset where bytes are on their way",
      tests: ["WebSocket Events does not re-emit `net.Socket` errors"],
    },
  ],
  fastify: [
    {
      why: `${DIFFERENCE}what was written in the turn in which the connection is destroyed is sent`,
      tests: ["request-error.test.js: customErrorHandler should not call handler for in-stream error"],
    },
    {
      why: "counts on what is sent behind the answer that closes: the sandbox says `Connection: close` in answers from `close` on, Node in the next one",
      tests: [
        "close-pipelining.test.js: Should return 503 while closing - pipelining",
        "close.test.js: Current opened connection should not accept new incoming connections",
        "close.test.js: rejected incoming connections should be logged",
      ],
    },
  ],
};
