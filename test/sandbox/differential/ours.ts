// Our parser's log as an outcome.
import { eventsOf, type Parser } from "../parser.js";
import type { Outcome } from "./outcome.js";

export function ourOutcome(parser: Parser, request: Uint8Array): Outcome {
  const outcome: Outcome = [];
  let [method, target, body] = ["", "", ""];
  for (const event of eventsOf(parser.run(request, [request.length]))) {
    const space = event.indexOf(" ");
    const [kind, rest] = [event.slice(0, space), event.slice(space + 1)];
    if (kind === "request") [method, target, body] = [...rest.split(" ").slice(0, 2), ""] as [string, string, string];
    else if (kind === "body") body = Buffer.from(unescaped(rest), "latin1").toString("hex");
    else if (kind === "end") outcome.push({ kind: "message", method, target, body, keepAlive: rest === "keep-alive" });
    else if (kind === "refused") outcome.push({ kind: "refused", reason: rest.split(" ")[1] });
    else if (kind === "needs") outcome.push({ kind: rest === "head" ? "needs head" : "needs body" });
  }
  return outcome;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([rn\\])/g, (_, name: string) => ({ r: "\r", n: "\n" })[name] ?? "\\");
}
