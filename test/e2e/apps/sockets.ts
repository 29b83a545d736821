// Websockets of fetch: by upgradeWebSocket itself, and by Hono's helper on top of it.
import { Hono } from "hono";
import { defineWebSocketHelper, WSContext } from "hono/ws";
import { upgradeWebSocket as upgrade } from "waterspout";

const upgradeWebSocket = defineWebSocketHelper((context, events) => {
  if (context.req.header("upgrade")?.toLowerCase() !== "websocket") return;
  const { socket, response } = upgrade(context.req.raw);
  const ws = new WSContext({
    raw: socket,
    url: socket.url,
    protocol: socket.protocol,
    get readyState() {
      return socket.readyState as 0 | 1 | 2 | 3;
    },
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
  });
  socket.onopen = (event) => events.onOpen?.(event, ws);
  socket.onmessage = (event) => events.onMessage?.(event, ws);
  socket.onclose = (event) => events.onClose?.(event as never, ws);
  socket.onerror = (event) => events.onError?.(event, ws);
  return response;
});

const app = new Hono()
  .get("/", (context) => context.text("hello"))
  .get(
    "/hono/:room",
    upgradeWebSocket((context) => ({
      onOpen: (_event, ws) => ws.send(`welcome to ${context.req.param("room")}`),
      onMessage: (event, ws) => ws.send(`${event.data}!`),
      onClose: (event) => console.error(`hono: closed with ${event.code}`),
    })),
    (context) => context.text("no websocket"),
  );

function echo(request: Request): Response {
  const { socket, response } = upgrade(request, { protocol: "echo", maxMessageBytes: 1000, compression: {} });
  const states = [socket.readyState];
  socket.addEventListener("open", () => states.push(socket.readyState));
  socket.addEventListener("message", async ({ data }) => {
    if (data === "slow") await new Promise((resolve) => setTimeout(resolve, 50));
    if (data === "throw") throw new Error("a listener that throws");
    if (data === "reject") await Promise.reject(new Error("a listener that rejects"));
    if (data === "state") return socket.send([...states, socket.protocol, new URL(socket.url).protocol].join());
    socket.send(typeof data === "string" ? data : new Uint8Array(data).reverse());
  });
  socket.onclose = ({ code, reason, wasClean }) => {
    console.error(`closed: ${code} ${reason} ${wasClean} ${socket.readyState}`);
  };
  socket.onerror = () => console.error("never opened");
  return response;
}

export default {
  overrideGlobalObjects: process.env.GENUINE === undefined,
  fetch(request: Request): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/echo") return echo(request);
    if (pathname === "/copy") return upgrade(new Request(request)).response;
    if (pathname === "/vetoed") return upgrade(request) && new Response("vetoed", { status: 403 });
    return app.fetch(request);
  },
};
