/**
 * A server's own admin server: there is one if its options say so, from before the server listens until after it has
 * ended.
 *
 * Invariant: what is loaded for it is loaded only then.
 */
import { stderrLines } from "../core/linewriter.js";
import { defaultLogger, type Logger } from "../core/log.js";
import type { Inspected } from "../metrics/report.js";
import type { InspectSettings } from "./options.js";

/** What this needs of an admin server (inspect/adminserver.ts). */
interface AdminServer {
  readonly url: string;
  stop(): Promise<void>;
}

export class Inspection {
  readonly #inspected: Inspected;
  #inspector: Promise<AdminServer> | null = null;

  constructor(inspected: Inspected) {
    this.#inspected = inspected;
  }

  /** Begins if it is wanted and has not begun. Rejects with BindError when its port is in use. */
  async begin(inspect: InspectSettings | null, logger: Logger = defaultLogger): Promise<void> {
    if (inspect === null || this.#inspector !== null) return;
    const begun: Promise<AdminServer> = import("../inspect/adminserver.js").then(({ Inspector }) =>
      Inspector.start(this.#inspected, inspect, logger),
    );
    this.#inspector = begun;
    const line = (url: string) => `Waterspout shows itself at ${url}`;
    try {
      const { url } = await begun;
      if (logger === defaultLogger) stderrLines.write(`${line(url)}\n`);
      else logger.info(line(url));
    } catch (error) {
      this.#inspector = null;
      throw error;
    }
  }

  /** Ends it; it can begin again. */
  async end(): Promise<void> {
    const inspector = this.#inspector;
    this.#inspector = null;
    await (await inspector)?.stop();
  }

  /** Ends it when nothing serves after all. */
  async endUnless(serves: boolean): Promise<void> {
    if (!serves) await this.end();
  }
}
