// What `waterspout run app.ts` serves: the default export.
import { Application, escapeHTML, HTTPError, RequestHandler } from "waterspout";

/** `GET /` and `GET /?name=you` */
class Home extends RequestHandler {
  override get(): void {
    const name = this.getArgument("name", "world");
    this.write(`<!doctype html><title>{{name}}</title><h1>Hello, ${escapeHTML(name)}</h1>\n`);
  }
}

/** `GET /add/1/2` answers `{"sum":3}`. */
class Add extends RequestHandler {
  override get({ one, other }: { one: string; other: string }): void {
    this.write({ sum: numberOf(one) + numberOf(other) });
  }
}

function numberOf(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new HTTPError(400, `${text} is not a number`);
  return value;
}

export default new Application([
  ["/", Home],
  ["/add/:one/:other", Add],
]);
