// What the tests of handlers share: a logger that remembers, and the answer of a handler made of functions.
import { Application, type InjectedRequest, type Logger, RequestHandler } from "../../../host/index.js";

/** A logger, and what was logged. */
export function listening(): { logger: Logger; log: string[] } {
  const log: string[] = [];
  const note =
    (level: string) =>
    (fields: object | string, message?: string): void => {
      const error = typeof fields === "object" && "err" in fields ? ` (${(fields.err as Error).message})` : "";
      log.push(`${level}: ${typeof fields === "string" ? fields : message}${error}`);
    };
  return { logger: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") }, log };
}

/** The answer of a handler whose methods are given. */
export function answerOf(
  methods: Partial<Record<string, (this: RequestHandler, ...args: never[]) => unknown>>,
  request: InjectedRequest | string = {},
  settings: ConstructorParameters<typeof Application>[1] = {},
) {
  class Handler extends RequestHandler {}
  Object.assign(Handler.prototype, methods);
  return new Application([["/.*", Handler]], { logger: listening().logger, ...settings }).inject(request);
}
