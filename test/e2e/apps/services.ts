// What stands around handlers: middleware.
import { Application, cors, type Middleware, RequestHandler, rateLimit, requestId } from "waterspout";

const timing: Middleware = async (request, next) => {
  await next();
  console.error(`${request.headers.get("x-request-id")} ${request.route} ${request.finished}`);
};

class Hello extends RequestHandler {
  override get(): void {
    this.write("hello");
  }
}

class Upload extends RequestHandler {
  override post(): void {
    this.write(`${this.body.length}`);
  }
}

export default new Application(
  [
    ["/", Hello],
    ["/upload", Upload],
  ],
  {
    middleware: [
      requestId({ trust: true }),
      cors({ origins: ["https://app.example.com"] }),
      rateLimit({ requests: 3, keyOf: (request) => request.headers.get("x-key") }),
      timing,
    ],
  },
);
