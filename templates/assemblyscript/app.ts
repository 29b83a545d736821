// A web application that runs in the sandbox, all of it. `waterspout build app.ts` compiles it; Node, workers or
// wasmtime alone serve it. The language is AssemblyScript: no closures and no `async`, so a handler is an object.
import { HTTPServer } from "waterspout/assembly";
import { Application, RequestHandler } from "waterspout/assembly/web";

export { _start, turn, drain, supervised } from "waterspout/assembly";

/** `GET /` and `GET /?name=you` */
class Home extends RequestHandler {
  get(): void {
    this.setHeader("Content-Type", "text/plain; charset=UTF-8"); // so that a name is never a page
    this.write("Hello, " + this.getArgument("name", "world") + "\n");
  }
}

/** `GET /add/1/2` answers `{"sum":3}`. */
class Add extends RequestHandler {
  get(): void {
    const sum = F64.parseFloat(this.pathArgument("one")) + F64.parseFloat(this.pathArgument("other"));
    if (isFinite(sum)) this.writeJSON('{"sum":' + sum.toString() + "}");
    else this.sendError(400);
  }
}

const application = new Application();
application.route<Home>("/");
application.route<Add>("/add/:one/:other");

new HTTPServer(application).listen();
