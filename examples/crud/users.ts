// The table of users. It is made when it is missing: at the start, and whenever the database comes back.
//
// Invariants: names are unique; no more than WAITING_MAX requests wait for the database; that it is gone, or back, is
// said once.
import type { Database, Value } from "./database.ts";
import { isLost, problemOf, unavailable } from "./problems.ts";

export interface User {
  name: string;
  /** YYYY-MM-DD; null only in tables that others have made. */
  signup_date: string | null;
}

/** A user as the service takes it. */
export interface NewUser {
  name: string;
  signup_date: string;
}

const WAITING_MAX = 200;

/** Its index is made last, and a look costs no lock. */
const IS_THERE = "SELECT to_regclass('user_tbl_name') IS NOT NULL AS yes";
/** Several processes may do this at the same time; the lock makes one wait for the other. */
const TABLE = `
  SELECT pg_advisory_xact_lock(hashtext('user_tbl'));
  CREATE TABLE IF NOT EXISTS user_tbl (name varchar(20), signup_date date);
  CREATE UNIQUE INDEX IF NOT EXISTS user_tbl_name ON user_tbl (name);
`;
const COLUMNS = "name, to_char(signup_date, 'YYYY-MM-DD') AS signup_date";

export class Users {
  readonly #database: Database;
  readonly #say: (text: string) => void;
  #prepared: Promise<void> | null = null;
  #isDown = false;
  #waiting = 0;

  /** `say` is for the operator. */
  constructor(database: Database, say: (text: string) => void) {
    this.#database = database;
    this.#say = say;
  }

  /** Makes the table, if the database is there. Rejects when that cannot be. */
  async prepare(): Promise<void> {
    await this.#prepare().catch((error) => {
      if (!isLost(error)) throw error;
      this.lost(error);
    });
  }

  /** At most `limit` users by name, without the first `offset`. */
  list(limit: number, offset: number): Promise<User[]> {
    return this.#run(`SELECT ${COLUMNS} FROM user_tbl WHERE name IS NOT NULL ORDER BY name LIMIT $1 OFFSET $2`, [
      limit,
      offset,
    ]);
  }

  async find(name: string): Promise<User | null> {
    return first(await this.#run(`SELECT ${COLUMNS} FROM user_tbl WHERE name = $1`, [name]));
  }

  /** Rejects with Problem 409 when there is one with this name. */
  async create({ name, signup_date }: NewUser): Promise<User> {
    const text = `INSERT INTO user_tbl (name, signup_date) VALUES ($1, $2) RETURNING ${COLUMNS}`;
    return (await this.#run(text, [name, signup_date]))[0] as User;
  }

  /** Null when there is none with this name; Problem 409 when the new name is another's. */
  async change(name: string, to: NewUser): Promise<User | null> {
    const text = `UPDATE user_tbl SET name = $2, signup_date = $3 WHERE name = $1 RETURNING ${COLUMNS}`;
    return first(await this.#run(text, [name, to.name, to.signup_date]));
  }

  /** Whether there was one. */
  async delete(name: string): Promise<boolean> {
    return (await this.#run(`DELETE FROM user_tbl WHERE name = $1 RETURNING ${COLUMNS}`, [name])).length > 0;
  }

  /** The database is gone: from now on the table may be, too. */
  lost(error: Error & { code?: string }): void {
    this.#prepared = null;
    if (this.#isDown) return;
    this.#isDown = true;
    this.#say(`the database is not available, requests for users get 503: ${error.message || error.code}`);
  }

  async #run(text: string, values: Value[]): Promise<User[]> {
    if (this.#waiting >= WAITING_MAX) throw unavailable("the database is busy");
    const wasDown = this.#isDown;
    this.#waiting++;
    try {
      await this.#prepare();
      const rows = await this.#database.query<User>(text, values);
      if (wasDown) this.#found();
      return rows;
    } catch (error) {
      if (isLost(error)) this.lost(error);
      throw problemOf(error);
    } finally {
      this.#waiting--;
    }
  }

  #prepare(): Promise<void> {
    this.#prepared ??= this.#makeTable().catch((error) => {
      this.#prepared = null;
      throw error;
    });
    return this.#prepared;
  }

  async #makeTable(): Promise<void> {
    const [answer] = await this.#database.query<{ yes: boolean }>(IS_THERE, []);
    if (answer?.yes !== true) await this.#database.script(TABLE);
  }

  #found(): void {
    if (this.#isDown) this.#say("the database is available again");
    this.#isDown = false;
  }
}

function first(users: User[]): User | null {
  return users[0] ?? null;
}
