/**
 * The admin server: a live page, metrics and health of another server, on a port of its own.
 *
 * Invariants: it has a sandbox, connections and limits of its own, so it answers while the server that it shows is
 * full, drains or starts its workers again; it begins before that listens and ends after that has ended; it shows, and
 * changes nothing.
 */
import { hostAndPort } from "../core/address.js";
import { INSPECT_CONNECTIONS_MAX } from "../core/limits.js";
import type { Logger } from "../core/log.js";
import type { HTTPServerRequest } from "../http/request.js";
import { PrometheusText } from "../metrics/prometheustext.js";
import type { Inspected } from "../metrics/report.js";
import { Totals } from "../metrics/totals.js";
import { HTTPServer } from "../server/httpserver.js";
import type { InspectSettings } from "../server/options.js";
import { serving } from "../workers/fork.js";
import { refusalOf } from "./access.js";
import { assetAt } from "./assets.js";
import { Watchers } from "./eventstream.js";

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
const TEXT = { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" };

export class Inspector {
  readonly #inspected: Inspected;
  readonly #server: HTTPServer;
  readonly #watchers: Watchers;
  readonly #metrics: PrometheusText;

  private constructor(inspected: Inspected, logger: Logger) {
    const totals = new Totals(inspected);
    this.#inspected = inspected;
    this.#watchers = new Watchers(totals);
    this.#metrics = new PrometheusText(totals);
    this.#server = new HTTPServer((request) => this.#answer(request), {
      runtime: "node",
      accessLog: "off",
      connectionsMax: INSPECT_CONNECTIONS_MAX,
      bodyBytesMax: 1,
      logger,
    });
  }

  /** Rejects with BindError when the port is in use. */
  static async start(inspected: Inspected, { port, address }: InspectSettings, logger: Logger): Promise<Inspector> {
    const inspector = new Inspector(inspected, logger);
    await inspector.#server.listen(port, address);
    serving.delete(inspector.#server); // it ends when what it shows has ended, not when that begins to
    return inspector;
  }

  /** Where its page is. */
  get url(): string {
    const [address] = this.#server.addresses;
    return address === undefined ? "" : `http://${hostAndPort(address)}/`;
  }

  /** Ends it, and with it the event streams of open pages. */
  async stop(): Promise<void> {
    await this.#watchers.end();
    await this.#server.stop(0);
  }

  async #answer(request: HTTPServerRequest): Promise<void> {
    const { method, path } = request;
    if (method !== "GET" && method !== "HEAD") {
      return request.respond(405, { ...TEXT, Allow: "GET, HEAD" }, "Method Not Allowed\n");
    }
    if (path === "/health/live") return request.respond(200, TEXT, "live\n");
    if (path === "/health/ready") return this.#answerReady(request);
    const refusal = refusalOf(request);
    if (refusal !== null) return request.respond(403, TEXT, `${refusal}\n`);
    if (path === "/metrics") return this.#answerMetrics(request);
    if (path === "/events") return this.#answerEvents(request);
    const asset = await assetAt(path);
    if (asset === null) request.respond(404, TEXT, "Not Found\n");
    else request.respond(200, { ...HEADERS, "Content-Type": asset.type }, asset.body);
  }

  /** It holds no secret, so every Host is answered. */
  #answerReady(request: HTTPServerRequest): void {
    const { state, workersServing } = this.#inspected;
    if (state !== "serving") return request.respond(503, TEXT, `${state}\n`);
    if (workersServing === 0) return request.respond(503, TEXT, "no worker serves\n");
    request.respond(200, TEXT, "ready\n");
  }

  async #answerMetrics(request: HTTPServerRequest): Promise<void> {
    const { status, type, text } = await this.#metrics.read();
    request.respond(status, { ...HEADERS, "Content-Type": type }, text);
  }

  async #answerEvents(request: HTTPServerRequest): Promise<void> {
    if (request.method === "HEAD") return request.respond(200, { ...HEADERS, "Content-Type": "text/event-stream" });
    if (await this.#watchers.add(request, HEADERS)) return;
    request.respond(503, { ...TEXT, "Retry-After": "5" }, "Too many look at this server already.\n");
  }
}
