// The hello as an h3 application, for any server that takes fetch handlers.
import { H3 } from "h3";

export default new H3().get("/", (event) => {
  event.res.headers.set("Content-Type", "text/plain");
  return "Hello, world";
});
