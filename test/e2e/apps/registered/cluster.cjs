// A program of node:cluster: its two workers share a port.
const cluster = require("node:cluster");
const http = require("node:http");

if (cluster.isPrimary) {
  const listening = [1, 2].map(() => new Promise((resolve) => cluster.fork().on("listening", resolve)));
  Promise.all(listening).then(async ([first, second]) => {
    console.log(first.port === second.port, await (await fetch(`http://127.0.0.1:${first.port}/`)).text());
    cluster.disconnect();
  });
} else {
  http.createServer((_req, res) => res.end("a worker")).listen(0);
}
