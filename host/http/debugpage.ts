/**
 * The answer to a failed request in debug mode: where in the source it was thrown, what caused it, and the request. A
 * page for browsers, plain text for other clients.
 *
 * Invariants: nothing of a request or an error stands in the page that is not escaped; values that are secrets of the
 * client are left out; whatever an error holds, making the page throws nothing.
 */
import { readFileSync, statSync } from "node:fs";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { escapeHTML } from "../core/escape.js";
import { type Frame, framesOf, placeIn, textOf, withCauses } from "../core/stack.js";
import { DEBUG_STYLE } from "./debugstyle.js";

/** What the page says about the request. */
export interface FailedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Iterable<readonly [name: string, value: string]> & { get(name: string): string | null | undefined };
}

/** Lines of source above and below the one that is shown. */
const LINES_AROUND = 6;
/** Larger files are not read for a few lines. */
const SOURCE_BYTES_MAX = 1024 * 1024;
/** Characters that are shown of a message, and of a line of source. */
const MESSAGE_CHARS_MAX = 4096;
const LINE_CHARS_MAX = 240;

const SECRETS = ["authorization", "cookie", "proxy-authorization"];

/** Nothing in the page runs or loads, should a text in it not be escaped. */
const PAGE_HEADERS = {
  "Content-Type": "text/html; charset=UTF-8",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
  "Cache-Control": "no-store",
};
const TEXT_HEADERS = { "Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store" };

export interface DebugAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to `request`, whose handler threw `error`. `status` is such as "500 Internal Server Error". */
export function debugAnswer(status: string, error: unknown, request: FailedRequest): DebugAnswer {
  const errors = withCauses(error);
  if (!(request.headers.get("accept") ?? "").includes("text/html")) {
    return { headers: TEXT_HEADERS, body: `${status}\n\n${errors.map(stackOf).join("\n\ncaused by: ")}\n` };
  }
  const title = escapeHTML(`${status}: ${headline(error).join(": ")}`);
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${DEBUG_STYLE}</style>
</head>
<body>
<header><b>${escapeHTML(status)}</b> ${escapeHTML(`${request.method} ${request.target}`)}</header>
<main>
${errors.map(errorSection).join("\n")}
${requestSection(request)}
</main>
<footer>Only debug mode shows this page: <code>waterspout dev</code>, the flag <code>--debug</code> or the setting
<code>debug</code>.</footer>
</body>
</html>
`;
  return { headers: PAGE_HEADERS, body };
}

function errorSection(error: unknown, index: number): string {
  const [name, message] = headline(error);
  const frames = error instanceof Error ? framesOf(error) : [];
  const place = placeIn(frames);
  const title = `<span class="name">${escapeHTML(name)}</span> ${escapeHTML(message)}`;
  return `<section>
${index === 0 ? `<h1>${title}</h1>` : `<p class="cause">caused by</p><h2>${title}</h2>`}
${place?.isApplication ? excerpt(place) : ""}
${frameLists(frames)}
</section>`;
}

/** The lines around a frame's place; "" where they cannot be read. */
function excerpt(frame: Frame): string {
  const lines = sourceOf(frame.file as string)?.split("\n") ?? [];
  if (frame.line < 1 || frame.line > lines.length) return "";
  const first = Math.max(1, frame.line - LINES_AROUND);
  const shown = lines.slice(first - 1, frame.line + LINES_AROUND).map((text, index) => {
    const number = first + index;
    const line = `<i>${String(number).padStart(5)}</i> ${escapeHTML(text.slice(0, LINE_CHARS_MAX))}`;
    return number === frame.line ? `<mark>${line}</mark>` : `<span>${line}</span>`;
  });
  return `<figure><figcaption>${link(frame)}</figcaption><pre>${shown.join("")}</pre></figure>`;
}

function sourceOf(file: string): string | null {
  try {
    const { size } = statSync(file);
    return size > SOURCE_BYTES_MAX ? null : readFileSync(file, "utf8");
  } catch {
    return null; // it has been moved, or is only a name
  }
}

/** The application's frames, and behind them all of them when there are others. */
function frameLists(frames: readonly Frame[]): string {
  const own = frames.filter(({ isApplication }) => isApplication);
  const list = (shown: readonly Frame[]): string => `<ol>${shown.map(frameItem).join("")}</ol>`;
  if (own.length === frames.length) return own.length === 0 ? "" : list(own);
  const summary = `all ${frames.length} frames, those of packages and Node included`;
  const all = `<details><summary>${summary}</summary>${list(frames)}</details>`;
  return own.length === 0 ? all : list(own) + all;
}

function frameItem(frame: Frame): string {
  if (frame.file === null) return `<li>${escapeHTML(frame.text.slice("at ".length))}</li>`;
  return `<li>${escapeHTML(frame.name || "(module)")} ${link(frame)}</li>`;
}

/** A file's place, which opens in the user's editor. */
function link({ file, line, column }: Frame): string {
  const path = file as string;
  const url = `vscode://file${pathToFileURL(path).pathname}:${line}:${column}`;
  const below = relative(process.cwd(), path);
  const text = `${below.startsWith("..") ? path : below}:${line}:${column}`;
  return `<a href="${escapeHTML(url)}">${escapeHTML(text)}</a>`;
}

function requestSection({ method, target, headers }: FailedRequest): string {
  const rows = [...headers].map(([name, value]) => {
    const shown = SECRETS.includes(name.toLowerCase()) ? "<em>not shown</em>" : escapeHTML(value);
    return `<tr><th>${escapeHTML(name)}</th><td>${shown}</td></tr>`;
  });
  const line = escapeHTML(`${method} ${target}`);
  return `<section><h2>Request</h2><p><code>${line}</code></p><table>${rows.join("")}</table></section>`;
}

/** The name and the message of what was thrown, which may be anything. */
function headline(error: unknown): [name: string, message: string] {
  if (!(error instanceof Error)) return ["thrown:", clipped(inspect(error))];
  return [clipped(textOf(error, "name")), clipped(textOf(error, "message"))];
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return clipped(inspect(error));
  return textOf(error, "stack") || headline(error).join(": ");
}

function clipped(text: string): string {
  return text.slice(0, MESSAGE_CHARS_MAX);
}
