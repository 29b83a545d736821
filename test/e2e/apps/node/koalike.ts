// What an application of Koa has, as far as a server asks for it.
import type { IncomingMessage, ServerResponse } from "node:http";

export default {
  use() {},
  callback() {
    return (req: IncomingMessage, res: ServerResponse) => void res.end(`koalike ${req.method} ${req.url}`);
  },
};
