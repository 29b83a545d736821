/**
 * What runs this program: Node, or a program that is like a Node of the version in `process.versions.node`. What that
 * one lacks is refused under its own name, in one sentence.
 */
import { boundHandles } from "../nodeinternals/boundhandle.js";

const { node, bun, deno } = process.versions as {
  readonly node: string;
  readonly bun?: string;
  readonly deno?: string;
};

/** `"Node 24.1.0"`, `"Bun 1.4.5"` or `"Deno 2.9.6"`. */
export const ENGINE = bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node ${node}`;

/** Whether this is Node itself. */
export const IS_NODE = bun === undefined && deno === undefined;

/** What starts a program here and starts it again when its files change; null in Node. */
export const WATCHER = bun !== undefined ? "bun --watch" : deno !== undefined ? "deno run -A --watch" : null;

/** Why this program cannot do `what`, which takes sockets that several processes accept from; null: it can. */
export function whyNotShared(what: string): string | null {
  return boundHandles.isThere() ? null : `${what} needs sockets that processes share, which ${ENGINE} does not have`;
}

/** Why this program cannot end TLS; null: it can. Bun does not say which of a server's handshakes has ended. */
export function whyNoTLS(what: string): string | null {
  return bun === undefined
    ? null
    : `${what} needs Node or Deno, and this is ${ENGINE}: put a proxy in front that ends TLS`;
}
