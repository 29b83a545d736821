// The command's logs on both runtimes.
import { describe } from "vitest";

import { logSuite } from "./suite-logs.js";
import { NODE, WASMTIME } from "./ways.js";

describe.each([NODE, WASMTIME])("$name", (way) => logSuite(way));
