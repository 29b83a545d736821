// The command with the sandbox inside Node.
import { describe } from "vitest";

import { commandSuite } from "./suite-command.js";
import { demoSuite } from "./suite-demo.js";
import { faultSuite } from "./suite-faults.js";
import { handlerSuite } from "./suite-handlers.js";
import { httpSuite } from "./suite-http.js";
import { limitSuite } from "./suite-limits.js";
import { echoSuite, streamSuite } from "./suite-streams.js";
import { workerSuite } from "./suite-workers.js";
import { NODE } from "./ways.js";

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
