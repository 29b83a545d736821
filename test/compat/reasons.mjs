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
       server-unconsume-consume upgrade-server2`,
    ),
    row(
      `${DIFFERENCE}\`clientError\` and the socket's \`error\` come when the sandbox has answered already`,
      `double-content-length header-badrequest header-overflow parser-finish-error server-client-error
       server-destroy-socket-on-client-error server-multiple-client-error server-reject-chunked-with-content-length
       server-reject-cr-no-lf socket-error-listeners transfer-encoding-repeated-chunked`,
    ),
    row(
      `${DIFFERENCE}the sandbox writes Keep-Alive, Trailer, Transfer-Encoding, Content-Length and trailers of an answer`,
      `content-length keep-alive-timeout-custom mutable-headers raw-headers
       remove-connection-header-persists-connection remove-header-stays-removed response-multi-content-length
       set-trailers`,
    ),
    row(
      "compares the order of header fields: Connection and Keep-Alive are the last ones",
      `1.0 keep-alive-max-requests server-close-all server-close-idle server-keep-alive-defaults
       server-keep-alive-max-requests-null`,
    ),
    row(
      "has several requests of one connection parsed at once: the sandbox parses the next one when the answer is complete",
      `blank-header incoming-pipelined-socket-destroy keep-alive-drop-requests parser-freed-during-execute
       pipeline-assertionerror-finish pipeline-flood server-keep-alive-timeout`,
    ),
    row(
      `${DIFFERENCE}a 408 for a body has Date and Content-Length; a connection on which nothing came is closed without one`,
      `server-headers-timeout-delayed-headers server-request-timeout-delayed-body
       server-request-timeout-delayed-headers server-request-timeout-interrupted-body`,
    ),
    row(`${DIFFERENCE}no byte goes through a request's socket`, "byteswritten no-read-no-dump server-unconsume"),
    row(`${DIFFERENCE}there is no \`checkExpectation\``, "expect-handling"),
    row("uses the option `optimizeEmptyRequests`, which is not there", "server-optimize-empty-requests"),
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
      why: "`requireHostHeader: false` is without effect",
      tests: ["", " with trust proxy"].map(
        (how) =>
          `request-header-host.test.js: Return 200 when Host header is missing and http.requireHostHeader = false${how}`,
      ),
    },
  ],
};
