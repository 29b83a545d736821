/**
 * node:tls, loaded when it is used first: it takes 10 ms, and most servers leave TLS to a proxy in front of them.
 */
import { createRequire } from "node:module";
import type tls from "node:tls";

// The first is there from 20.16 and 22.3 on.
const load = process.getBuiltinModule ?? createRequire(import.meta.url);
let loaded: typeof tls | null = null;

/** Node's module. */
export function nodeTLS(): typeof tls {
  loaded ??= load("node:tls") as typeof tls;
  return loaded;
}
