// Where the users are: a PostgreSQL server, or PGlite, which is PostgreSQL as WebAssembly in this process. Both take
// the same statements, with parameters that are bound, never put into the text.
//
// Invariant: no call waits for ever, whatever the server or the network does.
import { taskId } from "waterspout";

export type Value = string | number;

export interface Database {
  /** Runs one statement. Rejects with what the driver says. */
  query<Row extends object>(text: string, values: Value[]): Promise<Row[]>;
  /** Runs several statements, all or none. */
  script(text: string): Promise<void>;
  /** Takes leave of it; nothing may be asked any more. */
  close(): Promise<void>;
}

const POOL_MAX = 10;
/** For a connection: a free one of the pool, or a new one. */
const CONNECT_TIMEOUT_MS = 3_000;
/** What a statement may take before the server gives it up; `?statement_timeout=` in the address says otherwise. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** When nothing is heard from the server any more; `?query_timeout=` says otherwise. */
const QUERY_TIMEOUT_MS = 6_000;

/** The database that the environment names. `lost` hears of connections that end while they are not in use. */
export function openDatabase(env: NodeJS.ProcessEnv, lost: (error: Error) => void): Promise<Database> {
  const { DATABASE_URL, DATABASE_FOLDER } = env;
  return DATABASE_URL ? openServer(DATABASE_URL, lost) : openEmbedded(DATABASE_FOLDER || undefined);
}

async function openServer(connectionString: string, lost: (error: Error) => void): Promise<Database> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    max: POOL_MAX,
    keepAlive: true,
    application_name: "waterspout-crud",
    connectionString,
  });
  pool.on("error", lost);
  return {
    query: async <Row extends object>(text: string, values: Value[]) => (await pool.query<Row>(text, values)).rows,
    // Without parameters they go as one message, which the server takes as one transaction.
    script: async (text) => void (await pool.query(text)),
    close: () => pool.end(),
  };
}

async function openEmbedded(folder: string | undefined): Promise<Database> {
  if (taskId() !== null) throw new Error("the embedded database serves one process: for several set DATABASE_URL");
  const { PGlite } = await import("@electric-sql/pglite");
  const embedded = await PGlite.create(folder);
  return {
    query: async <Row extends object>(text: string, values: Value[]) => (await embedded.query<Row>(text, values)).rows,
    script: async (text) => void (await embedded.exec(text)),
    close: () => embedded.close(),
  };
}
