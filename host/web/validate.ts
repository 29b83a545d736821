/**
 * A request's parts, checked by schemas before they are used.
 *
 * Invariants: what a handler gets has passed its schema; what has not is one answer, 422, that lists what is wrong in
 * all parts, with a bounded number of issues of bounded length, since messages may repeat what the client has sent.
 */
import { ISSUE_CHARS_MAX, ISSUES_MAX } from "../core/limits.js";
import type { HTTPServerRequest } from "../http/request.js";
import type { Answering } from "../server/httpserver.js";
import { type Arguments, parseArguments, parseJSON } from "./arguments.js";
import { HTTPError, ValidationError, type ValidationIssue } from "./errors.js";
import type { PathArgument } from "./pathpattern.js";
import type { RequestHandler } from "./requesthandler.js";
import type { RouteFunction } from "./routing.js";
import type { SchemaIssue, StandardSchema } from "./standardschema.js";

/** Schemas for parts of a request, each a Standard Schema: of zod, valibot or ArkType for example. */
export interface RequestSchemas {
  /** For what the groups of the route's pattern hold: an object if they have names, else a list. */
  readonly params?: StandardSchema;
  /** For the query: an object of texts, lists of texts where a name came several times. */
  readonly query?: StandardSchema;
  /** For the body: JSON, or a form that is not multipart, as an object like that of the query. */
  readonly body?: StandardSchema;
}

/** What has passed `Schemas`, by part. */
export type Valid<Schemas extends RequestSchemas> = {
  readonly [Part in keyof Schemas]: Schemas[Part] extends StandardSchema
    ? NonNullable<Schemas[Part]["~standard"]["types"]>["output"]
    : undefined;
};

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const PATH_KEYS_MAX = 32;

/**
 * The parts of the request that a RequestHandler answers, as `schemas` make them. Rejects with ValidationError, whose
 * answer is 422, with HTTPError 400 for a body or a query that cannot be read, 415 for a body of another type.
 */
export function validate<const Schemas extends RequestSchemas>(
  handler: Pick<RequestHandler, "request" | "pathArguments" | "body">,
  schemas: Schemas,
): Promise<Valid<Schemas>> {
  return check(handler.request, handler.pathArguments, schemas, () => handler.body);
}

/**
 * A function for a route: `answer` is called with the request and its parts, as `schemas` make them. What does not pass
 * is answered as with `validate`.
 */
export function validated<const Schemas extends RequestSchemas>(
  schemas: Schemas,
  answer: (request: HTTPServerRequest, valid: Valid<Schemas>) => Answering,
): RouteFunction {
  return async (request: HTTPServerRequest, ...args: PathArgument[]) => {
    let valid: Valid<Schemas>;
    try {
      valid = await check(request, args, schemas, () => request.readBody());
    } catch (error) {
      if (!(error instanceof HTTPError)) throw error;
      const { status } = error;
      const page = error instanceof ValidationError ? error.report : { status };
      return request.respond(status, { "Content-Type": "application/json" }, JSON.stringify(page));
    }
    return answer(request, valid);
  };
}

async function check<Schemas extends RequestSchemas>(
  request: HTTPServerRequest,
  args: readonly PathArgument[],
  schemas: Schemas,
  body: () => Buffer | Promise<Buffer>,
): Promise<Valid<Schemas>> {
  const [first] = args;
  const readers = {
    params: () => (typeof first === "object" ? first : args),
    query: () => objectOf(parseArguments(Buffer.from(queryOf(request), "latin1"))),
    body: async () => parseBody(request, await body()),
  };
  const valid: Record<string, unknown> = {};
  const issues: ValidationIssue[] = [];
  for (const part of ["params", "query", "body"] as const) {
    const schema = schemas[part];
    if (schema === undefined) continue;
    const result = await schema["~standard"].validate(await readers[part]());
    if (result.issues === undefined) valid[part] = result.value;
    else issues.push(...result.issues.slice(0, ISSUES_MAX).map((issue) => report(part, issue)));
  }
  if (issues.length > 0) throw new ValidationError(issues.slice(0, ISSUES_MAX));
  return valid as Valid<Schemas>;
}

function queryOf({ target }: HTTPServerRequest): string {
  const mark = target.indexOf("?");
  return mark < 0 ? "" : target.slice(mark + 1);
}

function parseBody(request: HTTPServerRequest, body: Buffer): unknown {
  const type = request.headers.get("content-type") ?? "";
  if (FORM.test(type)) return objectOf(parseArguments(body));
  if (JSON_TYPE.test(type)) return parseJSON(body);
  throw new HTTPError(415, "the body is neither JSON nor a form");
}

function objectOf(found: Arguments): object {
  return Object.fromEntries([...found].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

function report(part: keyof RequestSchemas, { message, path = [] }: SchemaIssue): ValidationIssue {
  const keys = path.slice(0, PATH_KEYS_MAX).map((each) => (typeof each === "object" ? each.key : each));
  return {
    in: part,
    path: keys.map((key) => (typeof key === "number" ? key : String(key).slice(0, ISSUE_CHARS_MAX))),
    message: message.slice(0, ISSUE_CHARS_MAX),
  };
}
