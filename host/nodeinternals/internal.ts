/**
 * What this room is about: the parts of Node that are not public, which a new version may change or remove without
 * notice. No other room uses one.
 *
 * Invariant: each internal is tried before it is used, and has a fallback that uses Node's public API alone.
 * Reference: docs/node-internals.md says which versions of Node have which.
 */

/** One internal of Node's. */
export interface NodeInternal {
  /** As Node's sources name it. */
  readonly name: string;
  /** What is slower or missing with the fallback. */
  readonly lost: string;
  /** Whether this Node has it, and it may be used. */
  isThere(): boolean;
}

/**
 * Names of internals that are not to be used although Node has them, separated by commas, or `*` for all of them. It
 * answers whether a fault goes away without them.
 */
const SWITCHED_OFF: readonly string[] = process.env.WATERSPOUT_WITHOUT_INTERNALS?.split(",") ?? [];

/** Describes an internal. `attempt` tries it, at most once; false or an exception: it is missing. */
export function nodeInternal(name: string, lost: string, attempt: () => boolean): NodeInternal {
  let found: boolean | null = null;
  const isThere = (): boolean => {
    found ??= !isSwitchedOff(name) && succeeds(attempt);
    return found;
  };
  return { name, lost, isThere };
}

/** Whether the internal called `name` is not to be used. */
export function isSwitchedOff(name: string): boolean {
  return SWITCHED_OFF.includes("*") || SWITCHED_OFF.includes(name);
}

function succeeds(attempt: () => boolean): boolean {
  try {
    return attempt();
  } catch {
    return false;
  }
}
