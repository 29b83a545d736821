// Websockets in every way to run: the demo's echo in all of them, handlers in TypeScript where there are any.
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { websocketSuite } from "./suites/websocket.js";
import { websocketEndSuite } from "./suites/websocketends.js";
import { websocketHandlerSuite } from "./suites/websockethandlers.js";
import { Authority, missingOpenSSL } from "./support/certificates.js";
import { NODE, SANDBOXED_WAYS, start, WASMTIME } from "./support/ways.js";

for (const way of [NODE, WASMTIME]) {
  describe(way.name, () => {
    websocketSuite(way);
    websocketEndSuite(way);
    websocketHandlerSuite(way);
  });
}

for (const way of SANDBOXED_WAYS) {
  describe(way.name, () => {
    websocketSuite(way);
    websocketEndSuite(way);
  });
}

describe.skipIf(missingOpenSSL !== null)(missingOpenSSL ?? "wss", () => {
  test.each([NODE, WASMTIME])("messages of all sizes come back through TLS: $name", async (way) => {
    const authority = new Authority();
    const { certfile, keyfile } = authority.issue("server", "server.example");
    const server = await start(way, way.demo, ["--certfile", certfile, "--keyfile", keyfile]);
    try {
      const socket = new WebSocket(`wss://127.0.0.1:${server.port}/ws`, { ca: authority.pem });
      await once(socket, "open");
      for (const size of [0, 1, 1000, 70_000, 2_000_000]) {
        const message = Buffer.alloc(size, "waterspout");
        socket.send(message);
        const [answer] = await once(socket, "message");
        expect(message.equals(answer as Buffer), `${size} bytes`).toBe(true);
      }
      socket.close(4000);
      expect((await once(socket, "close"))[0]).toBe(4000);
    } finally {
      await server.stop();
      authority.remove();
    }
  });
});
