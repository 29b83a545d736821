// What a RequestHandler needs of its application, as an interface: so requesthandler.ts need not import application.ts,
// which imports it.

/** The application that a RequestHandler belongs to. */
export interface HandlerOwner {
  /** The path of the route with this name; "" without one, or with another number of values than it has groups. */
  reverseUrl(name: string, values: string[]): string;
  /** The answer on the connection with this slot is complete. */
  over(slot: i32): void;
}
