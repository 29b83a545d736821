// What must compile, and what must not: `make check` holds each `@ts-expect-error` to be one.
import * as v from "valibot";
import {
  Application,
  HTTPServer,
  type HTTPServerRequest,
  type Middleware,
  RedirectHandler,
  RequestHandler,
  Rule,
  StaticFileHandler,
  type TCPServer,
  URLSpec,
  validate,
  validated,
  WebSocketHandler,
} from "waterspout";
import { z } from "zod";

interface User {
  name: string;
}

class Users extends RequestHandler<User> {
  database = "";

  override initialize({ database }: { database: string }): void {
    this.database = database;
  }

  override getCurrentUser(): User | null {
    return null;
  }

  override get(id: string): void {
    const text: string = this.getArgument("q");
    const maybe: string | null = this.getArgument("q", null);
    const number: string | number = this.getArgument("q", 1);
    const user: User = this.requireUser();
    const guest: User | null = this.currentUser;
    this.write({ id, text, maybe, number, user, guest });
    // @ts-expect-error: it may be null
    const wrong: string = this.getArgument("q", null);
    // @ts-expect-error: arrays are refused
    this.write([wrong]);
    // @ts-expect-error: a number is no body
    this.write(1);
    // @ts-expect-error: a header's value is text, a number or a date
    this.setHeader("A", {});
    // @ts-expect-error: there is no such attribute
    this.setCookie("a", "b", { htponly: true });
  }
}

class Named extends RequestHandler {
  override async get({ id }: { id: string }): Promise<void> {
    await this.flush();
    this.finish(id);
  }
}

export class Wrong extends RequestHandler {
  // @ts-expect-error: what a path holds is text
  override get(id: number): void {
    this.write(String(id));
  }

  // @ts-expect-error: a method answers, it returns nothing
  override post(): string {
    return "answer";
  }

  // @ts-expect-error: there is no method of this name to override
  override gett(): void {}
}

class Chat extends WebSocketHandler {}

function plain(request: HTTPServerRequest): void {
  request.respond(204);
}

export const fine = new Application(
  [
    ["/users/([0-9]+)", Users, { database: "db" }, "user"],
    ["/named/:id", Named],
    ["/named/(.*)", Named, undefined, "named"],
    [/\/files\/(.*)/, StaticFileHandler, { path: "public", defaultFilename: "index.html" }],
    ["/old", RedirectHandler, { url: "/new" }],
    ["/plain", plain],
    ["/inline", (request) => request.respond(200, {}, request.path)],
    ["/chat", Chat],
    ["/below/.*", new Application([["/below/x", Named]])],
    ["/nested/.*", [["/nested/x", Named]]],
    new URLSpec("/spec", Users, { database: "db" }, "spec"),
    new URLSpec("/spec", Named),
  ],
  { debug: true, cookieSecret: { 1: "a", 2: "b" }, keyVersion: 2 },
);

export const empty = [new Application(), new Application([])];

// @ts-expect-error: its initialize needs options
new Application([["/users", Users]]);
// @ts-expect-error: they have another name
new Application([["/users", Users, { databse: "db" }]]);
// @ts-expect-error: and another type
new Application([["/users", Users, { database: 1 }]]);
// @ts-expect-error: a class that is no handler
new Application([["/date", Date]]);
// @ts-expect-error: an object is no handler's class
new Application([["/object", {}]]);
// @ts-expect-error: a pattern is text or an expression
new Application([[1, Named]]);
class Database {
  query(): string[] {
    return [];
  }
}

class Asks extends RequestHandler<User, { db: Database }> {
  override get(): void {
    const rows: string[] = this.settings.db.query();
    const debug: boolean | undefined = this.settings.debug;
    // @ts-expect-error: it is no text
    const wrong: string = this.settings.db;
    this.write({ rows, debug, wrong });
  }
}

class AsksAnyhow extends RequestHandler {
  override get(): void {
    const db: unknown = this.settings.db;
    // @ts-expect-error: no type is given
    this.settings.db.query();
    this.write({ db });
  }
}

const own = new Application(
  [
    ["/", Asks],
    ["/anyhow", AsksAnyhow],
  ],
  { db: new Database(), debug: true },
);
export const rows: string[] = own.settings.db.query();
export const either: Application = own;
// @ts-expect-error: it has no such setting
own.settings.database;
// @ts-expect-error: a known setting of another type
new Application([], { debug: "yes" });
// @ts-expect-error: also beside one of its own
new Application([], { db: new Database(), debug: "yes" });
export const server: TCPServer = new HTTPServer(own);
// @ts-expect-error: its initialize needs options
new URLSpec("/users", Users);
// @ts-expect-error: a rule begins with a matcher
new Rule("/users", plain);

new Application([], { middleware: [(_request, next) => next(), async (_request, next) => void (await next())] });
// @ts-expect-error: an answer is a Response
export const wrong: Middleware = () => "text";

const Params = z.object({ id: z.coerce.number() });
const Body = v.object({ name: v.string() });

export const typed = validated({ params: Params, body: Body }, (_request, { params, body }) => {
  const id: number = params.id;
  const name: string = body.name;
  // @ts-expect-error: it is a number
  const wrong: string = params.id;
  return Response.json({ id, name, wrong });
});

export class Validates extends RequestHandler<User, { database: string }> {
  override async post(): Promise<void> {
    const { body, ...rest } = await validate(this, { body: Body });
    // @ts-expect-error: there is no schema for it
    this.write({ name: body.name satisfies string, query: rest.query });
  }
}
