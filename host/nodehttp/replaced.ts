/**
 * Replaces `http.createServer` and `http.Server` of the whole program.
 *
 * Invariant: `node:http` has both names replaced, for `require` and for `import`, and nothing else of it.
 */
import { syncBuiltinESMExports } from "node:module";
import { node } from "../nodeinternals/httpclasses.js";
import type { NodeListener } from "./listener.js";
import { listenOptions } from "./listenoptions.js";
import type { NodeServerOptions } from "./options.js";
import { NodeServer } from "./server.js";

/** Listens as `http.Server` does: without a host on all interfaces. */
export class ReplacedServer extends NodeServer {
  override listen(...given: unknown[]): this {
    const options = listenOptions(given);
    const callback = given.find((each) => typeof each === "function");
    const host = options.host ?? "";
    return super.listen({ ...options, host, ipv6Only: options.ipv6Only ?? false }, callback);
  }
}

type Given = [first?: NodeListener | NodeServerOptions | null, second?: NodeListener];

/** From now on `node:http` makes servers of this class. The result takes that back. */
export function replaceServers(Server: new (options: NodeServerOptions) => ReplacedServer): () => void {
  const { createServer, Server: Genuine } = node;
  class Replacing extends Server {
    constructor(...[first, second]: Given) {
      const [listener, options] = typeof first === "function" ? [first, null] : [second, first];
      super(options ?? {});
      if (listener !== undefined) this.on("request", listener);
    }
  }
  // Node's may be called without `new`.
  const Callable = new Proxy(Replacing, { apply: (_class, _this, given: Given) => new Replacing(...given) });
  set({ createServer: (...given: Given) => new Replacing(...given), Server: Callable });
  return () => set({ createServer, Server: Genuine });
}

function set(names: object): void {
  Object.assign(node, names);
  syncBuiltinESMExports();
}
