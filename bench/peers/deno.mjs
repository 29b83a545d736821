// The peer of the fetch handlers: Deno's own server.
// Usage: deno run --allow-net bench/peers/deno.mjs PORT

const HEADERS = { "content-type": "text/plain" };

Deno.serve(
  { hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen() {} },
  () => new Response("Hello, world", { headers: HEADERS }),
);
