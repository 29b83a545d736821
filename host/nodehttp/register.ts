/**
 * `waterspout/register`: from when it is loaded, `http.createServer` and `http.Server` of a program make servers of
 * this project. For a program that cannot be changed: `node --import waterspout/register app.js`.
 *
 * Invariant: stderr has one line, with the first server. What is not as with Node's server is in docs/node-handlers.md.
 */
import cluster from "node:cluster";
import type { ServerOptions } from "node:http";
import { HEAD_BYTES_MAX } from "../core/limits.js";
import { resolveRuntime } from "../core/runtimename.js";
import { node } from "../nodeinternals/httpclasses.js";
import type { NodeServerOptions } from "./options.js";
import { ReplacedServer, replaceServers } from "./replaced.js";

let hasSaidSo = false;

const Genuine = node.Server;

/** Node's own limits, as it completes and checks them; throws what it throws. It does not listen. */
function nodeLimits(options: NodeServerOptions): NodeServerOptions {
  const { keepAliveTimeout, headersTimeout, requestTimeout } = new Genuine(options as ServerOptions);
  const maxHeaderSize = options.maxHeaderSize ?? Math.min(node.maxHeaderSize, HEAD_BYTES_MAX);
  return { keepAliveTimeout, headersTimeout, requestTimeout, maxHeaderSize };
}

/** As `http.Server`: its limits are Node's, too, and a body may have any size. */
class Server extends ReplacedServer {
  constructor(options: NodeServerOptions) {
    super({ bodyBytesMax: Number.MAX_SAFE_INTEGER, ...options, ...nodeLimits(options) });
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
}

/** Workers of node:cluster share their ports by what only Node's own server does. */
if (cluster.isWorker) process.stderr.write("waterspout: a worker of node:cluster keeps Node's http.Server\n");
else replaceServers(Server);
