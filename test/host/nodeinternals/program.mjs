// Prints what clients get from handlers of Node's kind and of fetch's kind, and what the handlers saw.
import { once } from "node:events";
import http from "node:http";

const { createServer, serve } = await import("../../../dist/host/index.js");

const seen = [];
const BIG = "x".repeat(300_000);

async function handle(req, res) {
  seen.push([req.method, req.url, req.headers, req.headersDistinct["x-twice"]?.length, req.rawHeaders.length % 2]);
  req.on("close", () => seen.push(`request closed ${req.url}`));
  res.on("close", () => seen.push(`response closed ${res.writableFinished} ${req.url}`));
  if (req.url === "/array") return res.writeHead(201, "Made", ["A", "1", "A", "2"]).end("array");
  if (req.url === "/fields") {
    res.setHeader("X-Field", ["1", "2"]);
    res.writeContinue(() => seen.push("continued"));
    res.writeHead(200, { "X-Other": "3" });
    res.flushHeaders();
    seen.push(res.headersSent);
    res.write(Buffer.from("a"));
    return res.end("b", "latin1", () => seen.push("ended"));
  }
  if (req.url === "/drain") {
    while (!res.writableNeedDrain) res.write(BIG);
    await once(res, "drain");
    seen.push(`drained ${res.writableNeedDrain}`);
    return res.end();
  }
  let text = "";
  req.on("data", (block) => {
    text += block;
  });
  await once(req, "end");
  seen.push(req.complete);
  res.end(`${text.length} ${req.socket.remoteAddress} ${req.socket.writableLength}`);
}

function ask(port, url, body = null) {
  return new Promise((resolve, reject) => {
    const headers = { "X-Twice": ["1", "2"], Cookie: "a=1", "User-Agent": "one" };
    const method = body === null ? "GET" : "POST";
    const request = http.request({ port, path: url, method, headers, agent: false }, async (answer) => {
      let bytes = 0;
      let text = "";
      for await (const block of answer) {
        bytes += block.length;
        if (bytes < 1000) text += block;
      }
      const { date, connection, ...rest } = answer.headers;
      resolve({ status: answer.statusCode, reason: answer.statusMessage, rest, text, isLong: bytes > 1000 });
    });
    request.on("error", reject);
    request.end(body ?? undefined);
  });
}

const answers = [];
const server = createServer(handle, { runtime: "node" }).listen(0);
await once(server, "listening");
const { port } = server.address();
for (const [url, body] of [["/array"], ["/fields"], ["/drain"], ["/body", BIG], ["/none"]]) {
  answers.push(await ask(port, url, body));
}
server.close();
await once(server, "close");

const standard = serve({
  port: 0,
  hostname: "127.0.0.1",
  runtime: "node",
  async fetch(request) {
    const copy = new Request(request);
    return Response.json([copy.method, copy.headers.get("x-twice"), (await copy.text()).length]);
  },
});
await standard.ready();
answers.push(await ask(Number(new URL(standard.url).port), "/", "text"));
await standard.close();

const byUrl = seen.map((each) => JSON.stringify(each).replaceAll(String(port), "PORT")).sort();
console.log(JSON.stringify({ answers, seen: byUrl }));
