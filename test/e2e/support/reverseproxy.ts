// examples/sandboxed/proxy.ts as a server, and upstreams for it that send what a script says.
import { once } from "node:events";
import net from "node:net";
import { type Server, start, type Way } from "./ways.js";

/** The first build takes its time. */
export const BUILD_MS = 300_000;
/** Until the proxy gives up an upstream that is silent, or a request that waits for a connection. */
export const TIMEOUT_MS = 1000;

/** The proxy in front of an upstream at `port`, with further variables of its environment. */
export function proxyBefore(way: Way, port: number, settings: Record<string, string | number> = {}): Promise<Server> {
  const variables = { UPSTREAM: `127.0.0.1:${port}`, UPSTREAM_TIMEOUT_MS: TIMEOUT_MS, ...settings };
  const given = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return start(way, `build/proxy.${way.component}.wasm`, given);
}

export const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

/** An upstream that answers its n-th piece on a connection with the bytes that `script` gives; null: it leaves. */
export async function scripted(script: (piece: number, connection: number) => string | null): Promise<net.Server> {
  let count = 0;
  return raw((socket) => {
    const connection = ++count;
    let pieces = 0;
    socket.on("data", () => {
      const answer = script(++pieces, connection);
      if (answer === null) socket.destroy();
      else socket.write(answer, "latin1");
    });
  });
}

/** An upstream that does with each connection what `serve` does. */
export async function raw(serve: (socket: net.Socket) => void): Promise<net.Server> {
  const server = net.createServer((socket) => serve(socket.on("error", () => {})));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}
