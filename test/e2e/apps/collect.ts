// Answers every request with its body, once that is complete: for cases in which the server itself must decide
// everything else.
import { HTTPServer } from "waterspout";

export default new HTTPServer(async (request) => {
  const body = await request.readBody();
  request.respond(200, { "Content-Type": "application/octet-stream" }, body);
});
