// The web layer of an AssemblyScript application: `import { Application, RequestHandler } from
// "waterspout/assembly/web"`.

export { Application } from "./application";
export { RequestHandler } from "./requesthandler";
export { StaticFileHandler } from "./staticfiles";
export { escapeHTML, quoteJSON } from "../bytes/text";
