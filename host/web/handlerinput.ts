/**
 * What a handler is asked with: arguments of the query and of a form, files, JSON. Invariant: nothing is read before it
 * is asked for; what is malformed is HTTPError 400. Reference: Tornado's web.RequestHandler.
 */
import type { FormFile } from "../http/form/form.js";
import type { HTTPServerRequest } from "../http/request.js";
import {
  type ArgumentOptions,
  type Arguments,
  allOf,
  isMultipart,
  joined,
  lastOf,
  parseJSON,
  RequestArguments,
} from "./arguments.js";
import { HTTPError } from "./errors.js";

const EMPTY = Buffer.alloc(0);
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The part of RequestHandler that reads the request. */
export abstract class HandlerInput {
  /** The request that this object answers. */
  readonly request: HTTPServerRequest;
  /** The whole body; empty when there is none, for a multipart form, and with `streamRequestBody`. */
  body: Buffer = EMPTY;
  #arguments: RequestArguments | null = null;

  constructor(request: HTTPServerRequest) {
    this.request = request;
  }

  /** All arguments by name, those of the query before those of the body, as they came: not stripped. */
  get arguments(): Arguments {
    return joined(this.queryArguments, this.bodyArguments);
  }

  /** The arguments of the query by name, as they came. */
  get queryArguments(): Arguments {
    return this.#input.query;
  }

  /** The arguments of the body's form by name, as they came. */
  get bodyArguments(): Arguments {
    return this.#input.form(this.body);
  }

  /**
   * The last value of an argument, from the body if it is there, else from the query. Without it: `preset`, or without
   * that MissingArgumentError (400). Control characters become spaces.
   */
  getArgument(name: string): string;
  getArgument<Preset>(name: string, preset: Preset, options?: ArgumentOptions): string | Preset;
  getArgument(name: string, ...rest: [preset?: unknown, options?: ArgumentOptions]): unknown {
    return lastOf(name, this.bodyArguments.get(name) ?? this.queryArguments.get(name), rest);
  }

  /** All values of an argument: those of the query, then those of the body. */
  getArguments(name: string, options?: ArgumentOptions): string[] {
    return [...this.getQueryArguments(name, options), ...this.getBodyArguments(name, options)];
  }

  /** As `getArgument`, from the query alone. */
  getQueryArgument(name: string): string;
  getQueryArgument<Preset>(name: string, preset: Preset, options?: ArgumentOptions): string | Preset;
  getQueryArgument(name: string, ...rest: [preset?: unknown, options?: ArgumentOptions]): unknown {
    return lastOf(name, this.queryArguments.get(name), rest);
  }

  /** All values of an argument of the query. */
  getQueryArguments(name: string, options?: ArgumentOptions): string[] {
    return allOf(this.queryArguments.get(name), options);
  }

  /** As `getArgument`, from the body's form alone. */
  getBodyArgument(name: string): string;
  getBodyArgument<Preset>(name: string, preset: Preset, options?: ArgumentOptions): string | Preset;
  getBodyArgument(name: string, ...rest: [preset?: unknown, options?: ArgumentOptions]): unknown {
    return lastOf(name, this.bodyArguments.get(name), rest);
  }

  /** All values of an argument of the body's form. */
  getBodyArguments(name: string, options?: ArgumentOptions): string[] {
    return allOf(this.bodyArguments.get(name), options);
  }

  /**
   * The text of an argument of the query or of a form that is no multipart one. Override it for clients that send
   * another encoding; it must not ask for arguments itself, but may ask for `request.query`. Default: UTF-8, and
   * HTTPError 400 for anything else.
   */
  decodeArgument(value: Buffer, name: string): string {
    try {
      return strict.decode(value);
    } catch (cause) {
      throw new HTTPError(400, { logMessage: `Invalid unicode in ${name}`, cause });
    }
  }

  /** The files of a multipart form with this name; all of them without one. They are gone when the request is over. */
  getFiles(name?: string): readonly FormFile[] {
    const { files } = this.#input;
    return name === undefined ? files : files.filter((file) => file.name === name);
  }

  /**
   * The body as JSON, whatever its Content-Type says. Its type is what you say it is: check it. HTTPError 400 when it
   * is no JSON.
   */
  getJSON<Value = unknown>(): Value {
    return parseJSON(this.body) as Value;
  }

  get #input(): RequestArguments {
    if (this.#arguments === null) {
      const isOwn = this.decodeArgument !== HandlerInput.prototype.decodeArgument;
      const decode = isOwn ? (value: Buffer, name: string) => this.decodeArgument(value, name) : undefined;
      this.#arguments = new RequestArguments(this.request, decode);
    }
    return this.#arguments;
  }

  /** @internal Takes in the body; rejects with an error that has a status. */
  async takeBody(): Promise<void> {
    if (isMultipart(this.request)) this.#input.takeForm(await this.request.readForm());
    else this.body = await this.request.readBody();
  }
}
