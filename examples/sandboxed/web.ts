// A web application with no Node at all: the article's examples, JSON, and the files of a folder.
// `wasmtime run -S preview2=n -S tcplisten=127.0.0.1:8889 --dir FOLDER::/static build/web.wasm`

import { HTTPServer } from "../../assembly/index";
import { Application, RequestHandler, StaticFileHandler, quoteJSON } from "../../assembly/web/index";

export { _start, turn, drain, supervised } from "../../assembly/index";

class Main extends RequestHandler {
  get(): void {
    this.write("<h1>Hello World<h1>");
  }
}

class Hello extends RequestHandler {
  get(): void {
    this.setHeader("Content-Type", "text/plain; charset=UTF-8");
    this.write("hello " + this.getArgument("name", "World"));
  }
}

/** A whole number; NaN: it is none. */
function numberOf(text: string): f64 {
  if (!text.length || text.length > 15) return NaN;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if ((unit < 0x30 || unit > 0x39) && !(i == 0 && unit == 0x2d && text.length > 1)) return NaN;
  }
  return F64.parseInt(text);
}

class Add extends RequestHandler {
  get(): void {
    this.add();
  }

  post(): void {
    this.add();
  }

  private add(): void {
    const sum = numberOf(this.getArgument("a")) + numberOf(this.getArgument("b"));
    if (isNaN(sum)) return this.sendError(400);
    this.setHeader("Content-Type", "text/plain; charset=UTF-8");
    this.write(i64(sum).toString());
  }
}

class User extends RequestHandler {
  get(): void {
    const id = this.pathArgument("id");
    const url = this.reverseUrl("user", [id]);
    this.writeJSON('{"id":' + quoteJSON(id) + ',"url":' + quoteJSON(url) + "}");
  }
}

class Old extends RequestHandler {
  get(): void {
    this.redirect("/", true);
  }
}

class Files extends StaticFileHandler {
  constructor() {
    super("/static", "index.html");
  }
}

const application = new Application();
application.route<Main>("/");
application.route<Hello>("/hello");
application.route<Add>("/add");
application.route<User>("/users/:id", "user");
application.route<Old>("/old");
application.route<Files>("/static/*");

new HTTPServer(application).listen();
