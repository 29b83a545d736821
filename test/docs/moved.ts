// What the applications of docs/from-tornado.md and docs/from-express.md are asked, and must answer, before and after.
import { spawnSync } from "node:child_process";
import path from "node:path";

import { AsyncHTTPClient, type FetchOptions } from "../../host/index.js";
import { ROOT } from "../e2e/support/ways.js";

export interface Exchange {
  ask: FetchOptions & { path: string; form?: Record<string, string> };
  answer: { status: number; location?: string; body?: unknown };
}

const LOGIN = `<form method="post"><input type="hidden" name="_xsrf" value=""/><input name="name"/></form>\n`;
const guests = (items: string) =>
  `<h1>Guests</h1>\n<ul>${items}</ul>\n<form method="post"><input type="hidden" name="_xsrf" value=""/><input name="text"/></form>\n`;

export const GUESTS: Exchange[] = [
  { ask: { path: "/" }, answer: { status: 302, location: "/login?next=%2F" } },
  { ask: { path: "/login" }, answer: { status: 200, body: LOGIN } },
  { ask: { path: "/login", form: { name: "ada" } }, answer: { status: 303, location: "/" } },
  { ask: { path: "/" }, answer: { status: 200, body: guests("") } },
  { ask: { path: "/", form: { text: "1 < 2 & all" } }, answer: { status: 303, location: "/" } },
  { ask: { path: "/" }, answer: { status: 200, body: guests("<li>ada: 1 &lt; 2 &amp; all</li>") } },
  { ask: { path: "/entries/0" }, answer: { status: 200, body: { entries: [["ada", "1 < 2 & all"]] } } },
  { ask: { path: "/", form: { text: "x", _xsrf: "forged" } }, answer: { status: 403 } },
  { ask: { path: "/nowhere" }, answer: { status: 404 } },
];

const JSON_TYPE = { "Content-Type": "application/json" };
const post = (body: string) => ({ path: "/notes", method: "POST", headers: JSON_TYPE, body });

export const NOTES: Exchange[] = [
  { ask: { path: "/notes" }, answer: { status: 200, body: { notes: ["buy milk"] } } },
  { ask: post('{"text":"call"}'), answer: { status: 201, location: "/notes/2", body: { text: "call" } } },
  { ask: { path: "/notes/2" }, answer: { status: 200, body: { text: "call" } } },
  { ask: { path: "/notes/3" }, answer: { status: 404, body: { error: "there is no such note" } } },
  { ask: post("{}"), answer: { status: 422, body: { error: "text is missing" } } },
  { ask: post("{"), answer: { status: 400, body: { error: "the request cannot be read" } } },
];

/** Asks as a browser would that keeps its cookies and the forms' tokens; gives what `answer` names of each answer. */
export async function visit(port: number, exchanges: readonly Exchange[]): Promise<Exchange["answer"][]> {
  const client = new AsyncHTTPClient({ defaults: { followRedirects: false, raiseError: false } });
  const cookies = new Map<string, string>();
  const seen: Exchange["answer"][] = [];
  let token = "";
  for (const { ask, answer } of exchanges) {
    const { path: target, form, ...options } = ask;
    if (form !== undefined) {
      options.method = "POST";
      options.headers = { "Content-Type": "application/x-www-form-urlencoded" };
      options.body = new URLSearchParams({ _xsrf: token, ...form }).toString();
    }
    const Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(options.headers as Record<string, string>), ...(Cookie === "" ? {} : { Cookie }) };
    const response = await client.fetch(`http://127.0.0.1:${port}${target}`, { ...options, headers });
    for (const field of response.headers.getList("set-cookie")) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
      cookies.set(name, value);
    }
    const text = response.body.toString();
    token = /name="_xsrf" value="([^"]*)"/.exec(text)?.[1] ?? token;
    const isJSON = response.headers.get("content-type")?.startsWith("application/json") === true;
    const all = {
      status: response.code,
      location: response.headers.get("location") ?? "",
      body: isJSON ? JSON.parse(text) : text.replace(/(name="_xsrf" value=")[^"]*/, "$1"),
    };
    seen.push(Object.fromEntries(Object.keys(answer).map((key) => [key, all[key as "body"]])) as Exchange["answer"]);
  }
  client.close();
  return seen;
}

/** What runs a Python that has Tornado, as the bench installs it; null: there is none. */
export const TORNADO = [[path.join(ROOT, "build/bench/tornado/bin/python")], ["python3"]].find(hasTornado) ?? null;

function hasTornado([python]: string[]): boolean {
  return spawnSync(python, ["-c", "import tornado"]).status === 0;
}
