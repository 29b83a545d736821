// The application of test/e2e/apps/leaving.ts in AssemblyScript; GET /half-close?ms=1000 changes the limit for later
// connections. It is compiled by test/e2e/leaving.test.ts.

import { HTTPServer, IOLoop, Timeout } from "../../../assembly/index";
import { Application, RequestHandler } from "../../../assembly/web/index";

export { _start, turn } from "../../../assembly/index";

const entered: Map<string, i32> = new Map();
const told: Map<string, i32> = new Map();

function count(counts: Map<string, i32>, path: string): void {
  counts.set(path, (counts.has(path) ? counts.get(path) : 0) + 1);
}

function json(counts: Map<string, i32>): string {
  const parts: string[] = [];
  const keys = counts.keys();
  for (let i = 0; i < keys.length; i++) parts.push('"' + keys[i] + '":' + counts.get(keys[i]).toString());
  return "{" + parts.join(",") + "}";
}

class Waiting extends RequestHandler {
  private name: string = "";

  get(): void {
    this.autoFinish = false;
    this.name = this.path;
    if (this.name == "/stream") {
      this.write("begun");
      this.flush();
    }
    count(entered, this.name);
  }

  onConnectionClose(): void {
    count(told, this.name);
    if (this.name == "/stubborn") this.finish("all the same");
  }
}

class Answer extends Timeout {
  constructor(private handler: RequestHandler) {
    super();
  }
  run(): void {
    this.handler.finish("heard nothing");
  }
}

class Deaf extends RequestHandler {
  get(): void {
    this.autoFinish = false;
    IOLoop.current().callLater(1000, new Answer(this));
  }
}

class Told extends RequestHandler {
  get(): void {
    const open = server.connections.toString();
    this.writeJSON('{"entered":' + json(entered) + ',"told":' + json(told) + ',"open":' + open + "}");
  }
}

class HalfClose extends RequestHandler {
  get(): void {
    server.parameters.halfCloseTimeoutMs = i32(parseInt(this.getArgument("ms")));
  }
}

class CloseAll extends RequestHandler {
  get(): void {
    server.closeAllConnections();
  }
}

const application = new Application();
application.route<CloseAll>("/close-all");
application.route<Told>("/told");
application.route<Deaf>("/deaf");
application.route<HalfClose>("/half-close");
application.route<Waiting>("/*");

const server = new HTTPServer(application);
server.listen();
