// A program of its own, for Node, Bun and Deno alike: each kind of handler is served and asked, and all of it ends.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, HTTPServer, serve } from "waterspout";

const own = new HTTPServer((request) => request.respond(200, {}, "own"), { accessLog: "off" });
await own.listen(0);
const web = await serve({ port: 0, fetch: () => new Response("web"), accessLog: "off" }).ready();
const node = createServer({ accessLog: "off" }, (_, response) => void response.end("node"));
await once(node.listen(0, "127.0.0.1"), "listening");

const ports = [own.addresses[0]?.port, new URL(web.url as string).port, (node.address() as AddressInfo).port];
const answers = ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/`)).text());
console.log(JSON.stringify(await Promise.all(answers)));

await own.stop();
await web.close();
node.close();
