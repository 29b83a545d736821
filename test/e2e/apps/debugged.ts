// An application that asks to be loaded again when its files change.
import { Application, RequestHandler } from "waterspout";

class Home extends RequestHandler {
  override get(): void {
    this.write("home");
  }
}

export default new Application([["/", Home]], { debug: true });
