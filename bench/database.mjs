// A PostgreSQL server with a table of users, for the row that wants one: that of the tests.
// Invariant: it runs beside the servers, on the load's core, and does not count as one of them.

import { spawnSync } from "node:child_process";
import { tsImport } from "tsx/esm/api";
import { LOAD_CORE } from "./machine.mjs";
import { Unavailable } from "./tools.mjs";

const USERS = Array.from({ length: 20 }, (_, index) => ({
  name: `user ${String(index + 1).padStart(2, "0")}`,
  signup_date: "2026-01-31",
}));

/** What GET /users must answer. */
export const USERS_BODY = JSON.stringify({ users: USERS, next: null });

let url = null;

/** Where it is while `withDatabase` runs. */
export function databaseUrl() {
  if (url === null) throw new Error("there is no database here");
  return url;
}

/**
 * Starts the server and fills its table, runs `action`, ends the server. Throws Unavailable where none is installed.
 */
export async function withDatabase(action) {
  const { hasPostgres, Postgres } = await tsImport("../test/e2e/postgres.ts", import.meta.url);
  if (!hasPostgres) throw new Unavailable('PostgreSQL is not installed; install Debian\'s package "postgresql"');
  const server = await Postgres.start();
  try {
    if (LOAD_CORE !== null) spawnSync("taskset", ["--cpu-list", "--pid", String(LOAD_CORE), String(server.pid)]);
    const rows = USERS.map(({ name, signup_date }) => `('${name}', '${signup_date}')`).join(", ");
    await server.query(`CREATE TABLE user_tbl (name varchar(20), signup_date date)`);
    await server.query(`INSERT INTO user_tbl VALUES ${rows}`);
    url = server.url();
    await action();
  } finally {
    url = null;
    await server.stop();
  }
}
