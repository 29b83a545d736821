// The hello as Tornado's documentation writes it: a RequestHandler on a route, with the ETag that all its answers have.
import { Application, RequestHandler } from "waterspout";

class HelloHandler extends RequestHandler {
  override get(): void {
    this.setHeader("Content-Type", "text/plain");
    this.write("Hello, world");
  }
}

export default new Application([["/", HelloHandler]], { server: { accessLog: "off" } });
