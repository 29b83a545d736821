// The service over HTTP. Answers are JSON; one that is no success has the member `error`, a sentence.
//
//     GET    /users?limit=50&offset=0   { users: [{ name, signup_date }, …], next: the offset of the rest, or null }
//     POST   /users                     201 with Location; the body is JSON or a form
//     GET    /users/:name               the user
//     PUT    /users/:name               changes signup_date, and name if it is given
//     DELETE /users/:name               204
import { isUtf8 } from "node:buffer";
import { RequestHandler, StaticFileHandler } from "waterspout";
import { checkNumber, checkUser, faultOfName } from "./checks.ts";
import { Problem } from "./problems.ts";
import type { User, Users } from "./users.ts";

const LIMIT_DEFAULT = "50";
const LIMIT_MAX = 100;
const OFFSET_MAX = 1_000_000;
const JSON_TYPE = /^application\/json\s*(;|$)/i;
const FORM_TYPE = /^(application\/x-www-form-urlencoded|multipart\/form-data)\s*(;|$)/i;

abstract class UserTableHandler extends RequestHandler {
  protected users!: Users;

  override initialize({ users }: { users: Users }): void {
    this.users = users;
  }

  override setDefaultHeaders(): void {
    this.setHeader("Cache-Control", "no-cache"); // an ETag saves the body, but never the question
    this.setHeader("X-Content-Type-Options", "nosniff");
  }

  override writeError(_status: number, error: unknown): void {
    this.finish({ error: error instanceof Problem ? error.sentence : this.getReason() });
  }

  /** The body's JSON, and nothing that a form on another site could send. */
  protected json(): unknown {
    if (!this.hasType(JSON_TYPE)) throw new Problem(415, "the body must be application/json");
    if (!isUtf8(this.body)) throw new Problem(400, "the body is not UTF-8");
    try {
      return JSON.parse(this.body.toString());
    } catch {
      throw new Problem(400, "the body is not JSON");
    }
  }

  protected hasType(type: RegExp): boolean {
    return type.test(this.request.headers.get("content-type") ?? "");
  }
}

export class UsersHandler extends UserTableHandler {
  override async get(): Promise<void> {
    const limit = checkNumber("limit", this.getQueryArgument("limit", LIMIT_DEFAULT), 1, LIMIT_MAX);
    const offset = checkNumber("offset", this.getQueryArgument("offset", "0"), 0, OFFSET_MAX);
    const found = await this.users.list(limit + 1, offset); // one more tells whether there is more
    const next = offset + limit;
    this.write({ users: found.slice(0, limit), next: found.length > limit && next <= OFFSET_MAX ? next : null });
  }

  override async post(): Promise<void> {
    const user = await this.users.create(checkUser(this.hasType(FORM_TYPE) ? this.#form() : this.json()));
    this.setStatus(201);
    this.setHeader("Location", this.reverseUrl("user", user.name));
    this.write(user);
  }

  #form(): object {
    const value = (name: string) => this.getBodyArgument(name, undefined, { strip: false });
    return { name: value("name"), signup_date: value("signup_date") };
  }
}

export class UserHandler extends UserTableHandler {
  override async get({ name }: { name: string }): Promise<void> {
    this.write(known(await this.users.find(checked(name))));
  }

  override async put({ name }: { name: string }): Promise<void> {
    this.write(known(await this.users.change(checked(name), checkUser(this.json(), name))));
  }

  override async delete({ name }: { name: string }): Promise<void> {
    if (!(await this.users.delete(checked(name)))) throw unknown();
    this.setStatus(204);
  }
}

/** A name that no user can have is not looked for. */
function checked(name: string): string {
  if (faultOfName(name) !== null) throw unknown();
  return name;
}

function known(user: User | null): User {
  if (user === null) throw unknown();
  return user;
}

function unknown(): Problem {
  return new Problem(404, "there is no user with this name");
}

/** The page, which may load its own files and ask its own server, and nothing else. */
export class PageHandler extends StaticFileHandler {
  override setDefaultHeaders(): void {
    const own = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:";
    this.setHeader("Content-Security-Policy", `${own}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`);
    this.setHeader("X-Content-Type-Options", "nosniff");
  }
}
