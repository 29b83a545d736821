// Which functions of the host the fuzzers have called, as V8 counts them.
//
// Reference: the Chrome DevTools Protocol, Profiler.startPreciseCoverage. The functions of the sandbox are not counted:
// V8 counts none of WebAssembly.
import { Session } from "node:inspector/promises";

export class Coverage {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: false });
  }

  /** `host/bridge 80 of 100`: for each room of the host, how many of the functions in its loaded files were called. */
  async summary(root: string): Promise<string[]> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    const rooms = new Map<string, { called: number; all: number }>();
    for (const { url, functions } of result) {
      const room = url.split(`${root}/`)[1]?.split("/").slice(0, 2).join("/");
      if (room?.startsWith("host/") !== true) continue;
      const count = rooms.get(room) ?? { called: 0, all: 0 };
      const named = functions.filter(({ functionName }) => functionName !== "");
      count.all += named.length;
      count.called += named.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0).length;
      rooms.set(room, count);
    }
    return [...rooms].sort().map(([room, { called, all }]) => `${room} ${called} of ${all}`);
  }
}
