// validate and validated: what a handler gets, and what a client is told, with schemas of zod and of valibot.
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import {
  Application,
  type InjectedRequest,
  RequestHandler,
  type RequestSchemas,
  type StandardSchema,
  ValidationError,
  validate,
  validated,
} from "../../../host/index.js";
import { listening } from "../support/websupport.js";

const ZOD = {
  params: z.object({ id: z.coerce.number().int() }),
  query: z.object({ tag: z.array(z.string()).or(z.string()).optional() }),
  body: z.object({ name: z.string().min(1), age: z.coerce.number().min(0) }),
};
const VALIBOT = {
  params: v.object({ id: v.pipe(v.string(), v.transform(Number), v.integer()) }),
  query: v.object({ tag: v.optional(v.union([v.array(v.string()), v.string()])) }),
  body: v.object({
    name: v.pipe(v.string(), v.minLength(1)),
    age: v.pipe(v.unknown(), v.transform(Number), v.minValue(0)),
  }),
};
/** A schema that waits, as one that asks a database. */
const SLOW: StandardSchema<{ id: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => ({ value: { id: Number((value as { id: string }).id) } }),
  },
};

function applicationOf(schemas: RequestSchemas): Application {
  class Handler extends RequestHandler {
    override async post(): Promise<void> {
      this.write(await validate(this, schemas));
    }
    override get(): Promise<void> {
      return this.post();
    }
  }
  const { logger } = listening();
  const given = validated(schemas, (_request, valid) => Response.json(valid));
  return new Application(
    [
      ["/handler/:id", Handler],
      ["/function/:id", given],
    ],
    { logger, server: { logger } },
  );
}

const json = (body: unknown) => ({
  method: "POST",
  headers: { "Content-Type": "application/json; charset=utf-8" },
  body: JSON.stringify(body),
});

describe.each([
  ["zod", ZOD],
  ["valibot", VALIBOT],
])("%s", (_name, schemas) => {
  describe.each(["/handler", "/function"])("%s", (path) => {
    const ask = (request: InjectedRequest, target = "/7") =>
      applicationOf(schemas).inject({ ...request, target: path + target });

    test("what passes is given as the schemas make it", async () => {
      const answer = await ask(json({ name: "ada", age: 36, more: 1 }), "/7?tag=a&tag=b&x=1");
      expect([answer.status, answer.json()]).toEqual([
        200,
        { params: { id: 7 }, query: { tag: ["a", "b"] }, body: { name: "ada", age: 36 } },
      ]);
      const form = { "Content-Type": "application/x-www-form-urlencoded" };
      const sent = await ask({ method: "POST", headers: form, body: "name=ada&age=36" }, "/7?tag=one");
      expect(sent.json()).toEqual({ params: { id: 7 }, query: { tag: "one" }, body: { name: "ada", age: 36 } });
    });

    test("what does not is 422, with what is wrong in all parts", async () => {
      const answer = await ask(json({ name: "", age: -1 }), "/x");
      expect([answer.status, answer.headers.get("content-type")]).toEqual([
        422,
        expect.stringMatching(/^application\/json/),
      ]);
      const { status, issues } = answer.json<{ status: number; issues: Record<string, unknown>[] }>();
      expect(status).toBe(422);
      expect(issues.map((issue) => [issue.in, issue.path])).toEqual([
        ["params", ["id"]],
        ["body", ["name"]],
        ["body", ["age"]],
      ]);
      expect(issues.every(({ message }) => typeof message === "string" && message !== "")).toBe(true);
    });

    test("what cannot be read is 400, another type 415", async () => {
      expect((await ask({ ...json({}), body: "{" })).status).toBe(400);
      expect((await ask(json({}), "/7?tag=%ff")).status).toBe(400);
      expect((await ask({ method: "POST", body: "text" })).status).toBe(415);
    });
  });
});

test.each(["/handler/7", "/function/7"])("%s: a schema that waits, and one that fails itself", async (target) => {
  expect((await applicationOf({ params: SLOW }).inject(target)).json()).toEqual({ params: { id: 7 } });
  const validate = () => {
    throw new Error("the schema");
  };
  const failing = { "~standard": { version: 1, vendor: "test", validate } } as const;
  expect((await applicationOf({ params: failing }).inject(target)).status).toBe(500);
});

test("an answer has 100 issues, 32 keys of a path, and 200 characters each", async () => {
  const schema = (count: number, size: number, keys: number): StandardSchema => ({
    "~standard": {
      version: 1,
      vendor: "test",
      validate: () => ({
        issues: Array.from({ length: count }, () => ({
          message: "m".repeat(size),
          path: Array.from({ length: keys }, () => ({ key: "k".repeat(size) })),
        })),
      }),
    },
  });
  const issuesOf = async (schemas: RequestSchemas) =>
    (await applicationOf(schemas).inject("/function/7")).json<{ issues: { path: string[]; message: string }[] }>()
      .issues;
  const all = await issuesOf({ query: schema(100, 200, 32) });
  expect([all.length, all[0]?.message.length, all[0]?.path.length, all[0]?.path[0]?.length]).toEqual([
    100, 200, 32, 200,
  ]);
  const cut = await issuesOf({ params: schema(60, 201, 33), query: schema(101, 201, 33) });
  expect([cut.length, cut[99]?.message.length, cut[99]?.path.length, cut[99]?.path[0]?.length]).toEqual([
    100, 200, 32, 200,
  ]);
});

test("a handler may answer otherwise", async () => {
  class Own extends RequestHandler {
    override async get(): Promise<void> {
      await validate(this, { query: z.object({ page: z.string() }) });
    }
    override writeError(status: number, error: unknown): void {
      this.finish(`${status} ${error instanceof ValidationError ? error.issues.length : "?"}`);
    }
  }
  const application = new Application([["/", Own]], { logger: listening().logger });
  expect((await application.inject("/")).text).toBe("422 1");
});
