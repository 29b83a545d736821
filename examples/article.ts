// The examples of the article that this project began with, as a Tornado application: a greeting with a default, two
// numbers that are added, and a page.
//
//     waterspout run examples/article.ts
//     curl 'http://127.0.0.1:8888/?name=you'
//     curl 'http://127.0.0.1:8888/add?val1=1&val2=2'
import { Application, HTTPError, RequestHandler } from "waterspout";

/** `GET /` → `hello world`, `GET /?name=x` → `hello x` */
class IndexHandler extends RequestHandler {
  override get(): void {
    const name = this.getArgument("name", "world");
    this.setHeader("Content-Type", "text/plain; charset=UTF-8"); // so that a name is never a page
    this.write(`hello ${name}`);
  }
}

/** `GET /add?val1=1&val2=2` → `3`; 400 for what is no number */
class AddHandler extends RequestHandler {
  override get(): void {
    this.write(String(this.#number("val1") + this.#number("val2")));
  }

  #number(name: string): number {
    const text = this.getArgument(name);
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) throw new HTTPError(400, `${name} is not a number`);
    return value;
  }
}

/** `GET /hello` → the article's page, to the letter */
class MainHandler extends RequestHandler {
  override get(): void {
    this.write("<h1>Hello World<h1>");
  }
}

export default new Application([
  ["/", IndexHandler],
  ["/add", AddHandler],
  ["/hello", MainHandler],
]);
