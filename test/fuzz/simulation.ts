// A whole server in one process, from one seed: HTTPServer with its supervisor and bridges, workers that are core.wasm
// over a scripted network, links that cut frames anywhere, a clock that stands until it is moved; now and then with what
// forwards connections of TLS between clients and workers. Between any two steps a worker may be killed or stand still,
// a client may reset, time may pass. Some clients open a websocket; some servers have little memory for bodies, and
// answer 413 or 503 to what does not fit.
//
// Invariants tested: those of simworld.ts; every dead worker is replaced; once the clients are gone no worker counts a
// connection and no handler is left; the server stops, and no timer is left.
import type { HTTPServer } from "../../host/index.js";
import { runtimeNamed } from "../../host/runtime/index.js";
import type { Random } from "./random.js";
import { SimListener } from "./simlistener.js";
import { beginRelay, SimRelay } from "./simrelay.js";
import { clock, World } from "./simworld.js";

const GRACE_MS = 2000;

/** Puts a world in the place of wasmtime and of the clock while `play` runs. */
export async function inside(world: World, play: () => Promise<void>): Promise<void> {
  const runtime = runtimeNamed("wasmtime");
  const { start, prepare, guard, bind } = runtime;
  clock.install();
  try {
    runtime.prepare = async () => {};
    runtime.bind = async () => new SimListener(world.queue);
    runtime.start = (_module, [socket], events) => world.worker(socket as SimListener, events);
    runtime.guard = async ([socket]) => new SimRelay(world, socket as SimListener).guarded;
    await play();
  } finally {
    Object.assign(runtime, { start, prepare, guard, bind });
    clock.uninstall();
  }
}

export class ServerSimulation {
  readonly name = "server, supervisor and workers";
  connections = 0;
  answers = 0;
  /** Workers that were killed; that stood still for a while. */
  kills = 0;
  frozen = 0;
  /** Clients that stayed, and lost their connection with their worker. */
  lost = 0;
  /** Messages that came back over websockets, and requests that were answered with 413 or 503. */
  messages = 0;
  shed = 0;
  /** Servers whose connections came through a relay. */
  relayed = 0;
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** One server from its start to its stop. Throws what went wrong. */
  async run(random: Random): Promise<void> {
    const world = new World(this.#module, random);
    const server = world.server({ runtime: "wasmtime", workers: 1 + random.below(3) });
    const isRelayed = random.once(3);
    if (isRelayed) beginRelay(server);
    await inside(world, () => serve(world, server));
    this.connections += world.clients.length;
    this.kills += world.kills;
    this.frozen += world.frozen;
    this.lost += world.lost;
    if (isRelayed) this.relayed++;
    for (const { isSocket, seen, shed } of world.clients) {
      this.answers += seen;
      if (isSocket) this.messages += seen;
      this.shed += shed;
    }
  }
}

async function serve(world: World, server: HTTPServer): Promise<void> {
  await world.until(server.addSockets([new SimListener(world.queue)]), "start", false);
  world.hasStarted = true;
  world.admit();
  await world.play(() => {});
  await world.settle(
    () => server.workersServing === server.options.workers,
    () => `${server.workersServing} workers`,
  );
  await world.until(server.stop(GRACE_MS), "stop", true);
  await world.check();
}
