// A handler of Node's kind.
import type { IncomingMessage, ServerResponse } from "node:http";

export default async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  if (req.url === "/rejects") throw new Error("rejected on purpose");
  if (req.url === "/raw") return void res.end(JSON.stringify(req.rawHeaders));
  res.setHeader("Content-Type", "text/plain");
  res.end(`listener ${req.method} ${req.url}`);
};
