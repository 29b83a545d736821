/**
 * `/metrics`: the server's numbers in Prometheus' text format, and behind them what the application itself has in
 * prom-client's global registry. prom-client is loaded at the first request for metrics.
 */
import { type MetricsRegistry, registerTotals } from "./prometheus.js";
import type { Totals } from "./totals.js";

/** What is used of a registry of prom-client. */
interface Registry extends MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  getMetricsAsArray(): readonly { readonly name: string }[];
  getMetricsAsString(metric: { readonly name: string }): Promise<string>;
}

interface PromClient {
  readonly Registry: new () => Registry;
  readonly register: Registry;
}

export interface MetricsText {
  readonly status: 200 | 503;
  readonly type: string;
  readonly text: string;
}

const MISSING = "Metrics need the package prom-client: npm install prom-client@15\n";

export class PrometheusText {
  readonly #totals: Totals;
  readonly #load: () => Promise<PromClient | null>;
  #own: Registry | null = null;

  /** `load` gives prom-client, null where there is none. */
  constructor(totals: Totals, load: () => Promise<PromClient | null> = loadPromClient) {
    this.#totals = totals;
    this.#load = load;
  }

  async read(): Promise<MetricsText> {
    const client = await this.#load();
    if (client === null) return { status: 503, type: "text/plain; charset=utf-8", text: MISSING };
    if (this.#own === null) {
      this.#own = new client.Registry();
      registerTotals(this.#totals, this.#own);
    }
    const own = this.#own;
    const names = new Set(own.getMetricsAsArray().map(({ name }) => name));
    const others = client.register.getMetricsAsArray().filter(({ name }) => !names.has(name));
    const texts = await Promise.all([own.metrics(), ...others.map((metric) => own.getMetricsAsString(metric))]);
    return { status: 200, type: own.contentType, text: texts.map((text) => `${text.trimEnd()}\n`).join("\n") };
  }
}

/** The application's prom-client, null when it has none. */
async function loadPromClient(): Promise<PromClient | null> {
  try {
    return (await import("prom-client")) as unknown as PromClient;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  }
}
