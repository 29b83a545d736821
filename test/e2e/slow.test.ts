// Slow clients, with the sandbox in Node and in a worker process of wasmtime.
import { describe } from "vitest";

import { slowSuite } from "./suite-slow.js";
import { NODE, WASMTIME } from "./ways.js";

for (const way of [NODE, WASMTIME]) describe(way.name, () => slowSuite(way));
