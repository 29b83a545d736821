/** The plain page of an error. Invariant: nothing of a request or an error stands in it that is not escaped. */
import { escapeHTML } from "../core/escape.js";

/** The plain page, as Tornado's. */
export function errorPage(status: number, reason: string): string {
  const text = `${status}: ${escapeHTML(reason)}`;
  return `<html><title>${text}</title><body>${text}</body></html>`;
}
