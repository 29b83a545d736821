// Handlers that fail, that take their time, and one that computes for as long as a page waits for an event, and longer.
import { Application, RequestHandler } from "waterspout";

class Fails extends RequestHandler {
  override get(): void {
    throw new RangeError("not <b>today</b>");
  }
}

class Waits extends RequestHandler {
  override async get(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 100));
    this.write("waited");
  }
}

class Freezes extends RequestHandler {
  override get(): void {
    const until = performance.now() + 5000;
    while (performance.now() < until);
    this.write("computed");
  }
}

export default new Application([
  ["/fails", Fails],
  ["/waits", Waits],
  ["/freezes", Freezes],
]);
