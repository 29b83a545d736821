/** Pages of errors. Invariant: nothing of a request or an error stands in one that is not escaped. */
import { escapeHTML } from "./escape.js";

/** The plain page, as Tornado's. */
export function errorPage(status: number, reason: string): string {
  const text = `${status}: ${escapeHTML(reason)}`;
  return `<html><title>${text}</title><body>${text}</body></html>`;
}

/** The page for the application's developer: where it was thrown, and what caused it. */
export function debugPage(status: number, reason: string, error: unknown): string {
  const text = `${status}: ${escapeHTML(reason)}`;
  const stacks: string[] = [];
  for (let cause = error; cause !== undefined && stacks.length < CAUSES_MAX; cause = causeOf(cause)) {
    stacks.push(cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause));
  }
  const details = escapeHTML(stacks.join("\n\ncaused by: "));
  return `<html><title>${text}</title><body><h1>${text}</h1><pre>${details}</pre></body></html>`;
}

const CAUSES_MAX = 8;

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
