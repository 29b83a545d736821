// The command with the sandbox inside Node.
import { describe } from "vitest";

import { commandSuite } from "./suites/command.js";
import { demoSuite } from "./suites/demo.js";
import { faultSuite } from "./suites/faults.js";
import { handlerSuite } from "./suites/handlers.js";
import { httpSuite } from "./suites/http.js";
import { limitSuite } from "./suites/limits.js";
import { echoSuite, streamSuite } from "./suites/streams.js";
import { workerSuite } from "./suites/workers.js";
import { NODE } from "./support/ways.js";

describe(NODE.name, () => {
  demoSuite(NODE);
  httpSuite(NODE);
  handlerSuite(NODE);
  echoSuite(NODE);
  streamSuite(NODE);
  limitSuite(NODE);
  faultSuite(NODE);
  commandSuite(NODE);
  workerSuite(NODE);
});
