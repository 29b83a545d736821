/**
 * `waterspout/register`: from when it is loaded, `http.createServer` and `http.Server` of a program make servers of
 * this project. For a program that cannot be changed: `node --import waterspout/register app.js`.
 *
 * Invariants: `node:http` has both names replaced, for `require` and for `import`, and nothing else of it; stderr has
 * one line, with the first server. What is not as with Node's server is in docs/node-handlers.md.
 */
import cluster from "node:cluster";
import type { ServerOptions } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { resolveRuntime } from "../core/runtimename.js";
import { node } from "../nodeinternals/httpclasses.js";
import type { NodeListener } from "./listener.js";
import type { NodeServerOptions } from "./options.js";
import { listenOptions, NodeServer } from "./server.js";

let hasSaidSo = false;

const Genuine = node.Server;

/** Node's own limits, as it completes and checks them; throws what it throws. It does not listen. */
function nodeLimits(options: NodeServerOptions): NodeServerOptions {
  const { keepAliveTimeout, headersTimeout, requestTimeout } = new Genuine(options as ServerOptions);
  return { keepAliveTimeout, headersTimeout, requestTimeout };
}

/** As `http.Server`: its limits are Node's, and without a host it listens on all interfaces. */
class Server extends NodeServer {
  constructor(first?: NodeListener | NodeServerOptions | null, second?: NodeListener) {
    const [listener, options] = typeof first === "function" ? [first, null] : [second, first];
    super({ ...options, ...nodeLimits((options ?? {}) as NodeServerOptions) });
    if (listener !== undefined) this.on("request", listener);
    if (!hasSaidSo)
      process.stderr.write(`waterspout: http.Server is Waterspout's, runtime ${resolveRuntime(undefined)}\n`);
    hasSaidSo = true;
  }

  /** As with Node's: the program ends, unless it listens to `uncaughtException`. */
  override listenerThrew(error: unknown): void {
    process.nextTick(() => {
      throw error;
    });
  }

  override listen(...given: unknown[]): this {
    const options = listenOptions(given);
    const callback = given.find((each) => typeof each === "function");
    const host = options.host ?? "";
    return super.listen({ ...options, host, ipv6Only: options.ipv6Only ?? false }, callback);
  }
}

/** Node's may be called without `new`. */
const CallableServer = new Proxy(Server, {
  apply: (_server, _this, given: ConstructorParameters<typeof Server>) => new Server(...given),
});

/** Workers of node:cluster share their ports by what only Node's own server does. */
if (cluster.isWorker) {
  process.stderr.write("waterspout: a worker of node:cluster keeps Node's http.Server\n");
} else {
  const createServer = (...given: ConstructorParameters<typeof Server>): Server => new Server(...given);
  Object.assign(node, { createServer, Server: CallableServer });
  syncBuiltinESMExports();
}
