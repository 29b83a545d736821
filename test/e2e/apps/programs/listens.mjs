// A program that knows nothing of this project, and has its server listen by itself.
import http from "node:http";

const heard = [];
const server = http.createServer({ keepAliveTimeout: 7000 }, (request, response) => {
  response.end(JSON.stringify({ url: request.url, port: server.address().port, heard }));
});
server.on("listening", () => heard.push(`event, ${server.listening}`));
server.on("upgrade", (_request, socket, head) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  socket.end(head);
});
if (process.env.LATE) await new Promise((resolve) => setImmediate(resolve));
server.listen(Number(process.env.PORT), "localhost", () => heard.push("callback"));
process.once("SIGTERM", () => {
  server.close(() => setImmediate(() => console.error("closed, and what is behind it")));
});
