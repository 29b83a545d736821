// The article's CRUD service over PostgreSQL: user_tbl(name, signup_date) at /users, and a page on it at /.
//
//     waterspout run examples/crud.ts
//     curl -i -H 'Content-Type: application/json' -d '{"name":"Ada","signup_date":"2026-01-31"}' 'http://127.0.0.1:8888/users'
//     curl 'http://127.0.0.1:8888/users/Ada'
//
// DATABASE_URL names a PostgreSQL server. Without it one is embedded: in memory, or in the folder that DATABASE_FOLDER
// names.
import { fileURLToPath } from "node:url";
import { Application, HTTPServer } from "waterspout";
import { openDatabase } from "./crud/database.ts";
import { PageHandler, UserHandler, UsersHandler } from "./crud/handlers.ts";
import { Users } from "./crud/users.ts";

/** Far more than a user takes. */
const BODY_BYTES_MAX = 16_384;

/** What it serves from comes down after it: requests in flight are answered first. */
class CrudServer extends HTTPServer {
  override async stop(graceMs?: number): Promise<void> {
    await super.stop(graceMs);
    await database.close();
  }
}

const database = await openDatabase(process.env, (error) => users.lost(error));
const users = new Users(database, (text) => server.options.logger.warn(text));
const application = new Application(
  [
    ["/users", UsersHandler, { users }],
    ["/users/:name", UserHandler, { users }, "user"],
    [
      "/(.*)",
      PageHandler,
      { path: fileURLToPath(new URL("crud/page", import.meta.url)), defaultFilename: "index.html" },
    ],
  ],
  { crossOriginProtection: true },
);
const server = new CrudServer(application, { bodyBytesMax: BODY_BYTES_MAX });
await users.prepare();

export default server;
