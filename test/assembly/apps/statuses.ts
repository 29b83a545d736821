// Answers /:status with that status, for test/e2e/phrases.test.ts.

import { HTTPServer } from "../../../assembly/index";
import { Application, RequestHandler } from "../../../assembly/web/index";

export { _start, turn } from "../../../assembly/index";

class Status extends RequestHandler {
  get(): void {
    this.sendError(i32(parseInt(this.pathArgument("status"))));
  }
}

const application = new Application();
application.route<Status>("/:status");

new HTTPServer(application).listen();
