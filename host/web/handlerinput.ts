/**
 * What a RequestHandler is asked with: arguments of the query and of the body, files, JSON, cookies.
 *
 * Invariants: nothing is parsed before the handler asks for it, but for the body, which is there as a whole before
 * `prepare` is called (unless the handler takes it as it comes); what is malformed is HTTPError 400.
 */
import type { FormFile } from "../http/form/form.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Application, ApplicationSettings } from "./application.js";
import { type Arguments, byName, cleaned, NO_VALUES, parseArguments } from "./arguments.js";
import { HTTPError, MissingArgumentError } from "./errors.js";
import { NO_ARGUMENTS, type PathArgument } from "./pathpattern.js";

/** How an argument is given out. */
export interface ArgumentOptions {
  /** Without white space at its ends. Default: true. */
  strip?: boolean;
}

type Rest = [preset?: unknown, options?: ArgumentOptions];

const EMPTY = Buffer.alloc(0);

export abstract class HandlerInput<Own extends object = Readonly<Record<string, unknown>>> {
  /** The application that has chosen this handler. */
  readonly application: Application;
  readonly request: HTTPServerRequest;
  /** The whole body; empty when there is none, for a multipart form, and with `streamRequestBody`. */
  body: Buffer = EMPTY;
  /** What the groups of the route's pattern hold, as the method is called with it. */
  pathArguments: readonly PathArgument[] = NO_ARGUMENTS;
  #query: Arguments | null = null;
  #form: Arguments | null = null;
  #files: readonly FormFile[] = [];

  constructor(application: Application, request: HTTPServerRequest) {
    this.application = application;
    this.request = request;
  }

  /** The application's settings: those that are known, and its own. */
  get settings(): Readonly<ApplicationSettings & Own> {
    return this.application.settings as ApplicationSettings & Own;
  }

  /**
   * The last value of an argument, from the body if it is there, else from the query. Without it: `preset`, or without
   * that MissingArgumentError (400). Control characters become spaces.
   */
  getArgument(name: string): string;
  getArgument<Preset>(name: string, preset: Preset, options?: ArgumentOptions): string | Preset;
  getArgument(name: string, ...rest: Rest): unknown {
    return one(name, this.#bodyArguments().get(name) ?? this.#queryArguments().get(name), rest);
  }

  /** All values of an argument: those of the query, then those of the body. */
  getArguments(name: string, options?: ArgumentOptions): string[] {
    return [...this.getQueryArguments(name, options), ...this.getBodyArguments(name, options)];
  }

  /** As `getArgument`, from the query alone. */
  getQueryArgument(name: string): string;
  getQueryArgument<Preset>(name: string, preset: Preset, options?: ArgumentOptions): string | Preset;
  getQueryArgument(name: string, ...rest: Rest): unknown {
    return one(name, this.#queryArguments().get(name), rest);
  }

  /** All values of an argument of the query. */
  getQueryArguments(name: string, options?: ArgumentOptions): string[] {
    return all(this.#queryArguments().get(name), options);
  }

  /** As `getArgument`, from the body's form alone. */
  getBodyArgument(name: string): string;
  getBodyArgument<Preset>(name: string, preset: Preset, options?: ArgumentOptions): string | Preset;
  getBodyArgument(name: string, ...rest: Rest): unknown {
    return one(name, this.#bodyArguments().get(name), rest);
  }

  /** All values of an argument of the body's form. */
  getBodyArguments(name: string, options?: ArgumentOptions): string[] {
    return all(this.#bodyArguments().get(name), options);
  }

  /** The files of a multipart form with this name; all of them without one. They are gone when the request is over. */
  getFiles(name?: string): readonly FormFile[] {
    return name === undefined ? this.#files : this.#files.filter((file) => file.name === name);
  }

  /**
   * The body as JSON, whatever its Content-Type says. Its type is what you say it is: check it. HTTPError 400 when it
   * is no JSON.
   */
  getJSON<Value = unknown>(): Value {
    try {
      return JSON.parse(this.body.toString("utf8")) as Value;
    } catch (error) {
      throw new HTTPError(400, { logMessage: `the body is not JSON: ${(error as Error).message}`, cause: error });
    }
  }

  /** A cookie's value. Without it: `preset`, or null. */
  getCookie(name: string): string | null;
  getCookie<Preset>(name: string, preset: Preset): string | Preset;
  getCookie(name: string, preset: unknown = null): unknown {
    return this.request.cookies.get(name) ?? preset;
  }

  /** @internal Takes in the body; rejects with an error that has a status. */
  async takeBody(): Promise<void> {
    if (!MULTIPART.test(this.request.headers.get("content-type") ?? "")) {
      this.body = await this.request.readBody();
      return;
    }
    const { fields, files } = await this.request.readForm();
    this.#form = byName(fields);
    this.#files = files;
  }

  #queryArguments(): Arguments {
    if (this.#query === null) {
      const { target } = this.request;
      const mark = target.indexOf("?");
      this.#query = mark < 0 ? NO_VALUES : parseArguments(Buffer.from(target.slice(mark + 1), "latin1"));
    }
    return this.#query;
  }

  #bodyArguments(): Arguments {
    if (this.#form === null) {
      const isForm = this.body.length > 0 && FORM.test(this.request.headers.get("content-type") ?? "");
      this.#form = isForm ? parseArguments(this.body) : NO_VALUES;
    }
    return this.#form;
  }
}

const FORM = /^application\/x-www-form-urlencoded\s*(;|$)/i;
const MULTIPART = /^multipart\/form-data\s*(;|$)/i;

function one(name: string, values: readonly string[] | undefined, rest: Rest): unknown {
  const value = values?.at(-1);
  if (value !== undefined) return cleaned(value, rest[1]?.strip !== false);
  if (rest.length === 0) throw new MissingArgumentError(name);
  return rest[0];
}

function all(values: readonly string[] | undefined, options: ArgumentOptions = {}): string[] {
  return (values ?? []).map((value) => cleaned(value, options.strip !== false));
}
