// The command that loads an application again when its files change, on both runtimes.
import { describe } from "vitest";

import { watchSuite } from "./suites/watch.js";
import { NODE, WASMTIME } from "./support/ways.js";

describe.each([NODE, WASMTIME])("$name", (way) => watchSuite(way));
