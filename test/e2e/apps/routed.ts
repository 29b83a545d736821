// Routes, for the metrics: patterns are labels, paths never are.
import { Application, RequestHandler } from "waterspout";

class Name extends RequestHandler {
  override get({ name }: { name: string }): void {
    this.write(name);
  }
}

const users = new Application([["/users/:name", Name]]);

export default new Application([
  ["/plain/:name", Name],
  ["/users/.*", users],
]);
