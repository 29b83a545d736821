// What build/web.wasm serves at / and /static/, in TypeScript.
import { Application, RequestHandler, StaticFileHandler } from "waterspout";

class Main extends RequestHandler {
  override get(): void {
    this.write("<h1>Hello World<h1>");
  }
}

export default new Application([
  ["/", Main],
  ["/packed/(.*)", StaticFileHandler, { path: process.env.FILES ?? ".", precompressed: true }],
  ["/static/(.*)", StaticFileHandler, { path: process.env.FILES ?? ".", defaultFilename: "index.html" }],
]);
