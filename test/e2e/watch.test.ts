// The command that loads an application again when its files change, on both runtimes.
import { describe } from "vitest";

import { watchSuite } from "./suite-watch.js";
import { NODE, WASMTIME } from "./ways.js";

describe.each([NODE, WASMTIME])("$name", (way) => watchSuite(way));
