/**
 * Node's classes of requests and answers, but not by `import`: for that Node reads each name that `node:http` exports,
 * and so loads fetch (from 22 on), which takes 30 ms.
 */
import type http from "node:http";
import { createRequire } from "node:module";

// The first is there from 20.16 and 22.3 on.
const load = process.getBuiltinModule ?? createRequire(import.meta.url);
export const node = load("node:http") as typeof http;

export type IncomingMessage = http.IncomingMessage;
export const IncomingMessage: typeof http.IncomingMessage = node.IncomingMessage;
export type ServerResponse = http.ServerResponse;
export const ServerResponse: typeof http.ServerResponse = node.ServerResponse;
export const { METHODS, STATUS_CODES, validateHeaderName, validateHeaderValue } = node;
