/** Why a test of others does not pass, in the words of docs/compat.md. The keys are the folders of suites.mjs. */

const STRICT = "sends what the sandbox refuses with 400 ([http.md](http.md)), and Node takes";
const DIFFERENCE = "one of the [differences](node-handlers.md#differences): ";

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
      `chunk-extensions-limit header-owstext host-header-ipv6-fail insecure-parser insecure-parser-per-stream
       max-header-size-per-stream request-host-header request-join-authorization-headers
       request-method-delete-payload server-multiheaders server-multiheaders2 server-request-timeout-upgrade
       server-unconsume-consume transfer-encoding-repeated-chunked upgrade-server2`,
    ),
    row(
      `${DIFFERENCE}\`clientError\` and the socket's \`error\` come when the sandbox has answered already`,
      `double-content-length header-overflow parser-finish-error server-client-error
       server-destroy-socket-on-client-error server-multiple-client-error server-reject-chunked-with-content-length
       server-reject-cr-no-lf socket-error-listeners`,
    ),
    row(
      `${DIFFERENCE}the sandbox writes Connection, Transfer-Encoding and Content-Length of an answer, and names of a request's trailers are in lower case`,
      `raw-headers remove-connection-header-persists-connection remove-header-stays-removed
       response-multi-content-length server-close-all server-close-idle`,
    ),
    row(
      "has several requests of one connection parsed at once: the sandbox parses the next one when the answer is complete",
      `blank-header incoming-pipelined-socket-destroy keep-alive-drop-requests parser-freed-during-execute
       pipeline-assertionerror-finish pipeline-flood server-keep-alive-timeout`,
    ),
    row(
      `${DIFFERENCE}a 408 for a body has Date and Content-Length`,
      "server-request-timeout-delayed-body server-request-timeout-interrupted-body",
    ),
    row(`${DIFFERENCE}no byte goes through a request's socket`, "no-read-no-dump server-unconsume"),
    row(`${DIFFERENCE}there is no \`keepAliveTimeoutBuffer\``, "keep-alive-timeout-race-condition"),
    row(
      `${DIFFERENCE}what is written after the client has ended its side is sent, so \`finish\` comes as well as \`close\``,
      "writable-true-after-close",
    ),
  ],
  express: [
    {
      why: STRICT,
      tests: [
        "res when accepting html should escape the url",
        "res when accepting html should not render evil javascript links in anchor href (prevent XSS)",
        "res when accepting text should encode the url",
      ],
    },
    {
      why: "asks for a Transfer-Encoding that is not chunked: the sandbox frames the answer, in chunks",
      tests: ["compress", "deflate", "gzip"].map(
        (coding) =>
          "res when Transfer-Encoding header is present should not add Content-Length header if Transfer-Encoding " +
          `header is equal to ${coding}`,
      ),
    },
    {
      why: "101 is an answer of the listeners of `upgrade`, and of no other",
      tests: ["res .status(code) accept valid ranges should set the response status code to 101"],
    },
  ],
  morgan: [{ why: "1xx is no final status", tests: ["morgan() formats dev should not color 1xx"] }],
  session: [
    {
      why: STRICT,
      tests: [
        'session() cookie option when "path" set to "/foo/bar" should not set cookie for "http://foo/bar" request',
      ],
    },
  ],
  finalhandler: [{ why: STRICT, tests: ["http 404 response should escape method and pathname characters"] }],
  fastify: [
    {
      why: `${DIFFERENCE}\`clientError\` comes when the sandbox has answered already`,
      tests: [
        "404s.test.js: Unknown method",
        "client-timeout.test.js: requestTimeout should return 408",
        "reply-error.test.js: Should reply 400 on client error",
        "reply-error.test.js: Should set the response from client error handler",
        "request-error.test.js: non-numeric content-length is rejected before Fastify body parsing",
      ],
    },
    {
      why: "counts on what is sent behind the answer that closes: the sandbox says `Connection: close` in answers from `close` on, Node in the next one",
      tests: [
        "close-pipelining.test.js: Should return 503 while closing - pipelining",
        "close-pipelining.test.js: Should close the socket abruptly - pipelining - return503OnClosing: false",
        "close.test.js: Current opened connection should not accept new incoming connections",
        "close.test.js: rejected incoming connections should be logged",
      ],
    },
    {
      why: `${DIFFERENCE}what comes behind the last request of \`maxRequestsPerSocket\` has no 503`,
      tests: [
        "maxRequestsPerSocket",
        "maxRequestsPerSocket zero should behave same as null",
        "maxRequestsPerSocket should be set",
        "maxRequestsPerSocket should 0",
        "requestTimeout passed to server",
      ].map((name) => `max-requests-per-socket.test.js: ${name}`),
    },
    {
      why: `${DIFFERENCE}no byte goes through a request's socket`,
      tests: ["skip-reply-send.test.js: Sending a response using req.socket => onResponse not called"],
    },
  ],
};
