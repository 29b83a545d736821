// The command's logs on both runtimes.
import { describe } from "vitest";

import { logSuite } from "./suites/logs.js";
import { NODE, WASMTIME } from "./support/ways.js";

describe.each([NODE, WASMTIME])("$name", (way) => logSuite(way));
