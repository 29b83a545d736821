/**
 * Where a path leads that nothing is at. `realpath` says that something is missing, but not whether inside or outside
 * of a folder: without that a link that leads outside would tell by its status what is there.
 *
 * Invariant: follows symbolic links as a kernel does, as far as there is something; the folders on its way are real.
 */
import { dirname, isAbsolute, join, sep } from "node:path";

/** As in Linux; more of them are a loop. */
const LINKS_MAX = 40;

/** What `readlink` says: a link's text, false for what is no link, null for what is not there. */
export type Link = string | false | null;

/**
 * Yields paths that `readlink` is to be asked about; returns where the first thing is that is missing, else where
 * `path` leads.
 */
export function* linkWalk(path: string): Generator<string, string, Link> {
  const parts = path.split(sep);
  let at: string = sep;
  for (let links = 0; parts.length > 0; ) {
    const part = parts.shift() as string;
    const next = part === ".." ? dirname(at) : join(at, part);
    const link = next.length <= at.length ? false : yield next;
    if (link === null) return next;
    if (link === false) at = next;
    else if (++links > LINKS_MAX) return next;
    else {
      parts.unshift(...link.split(sep));
      if (isAbsolute(link)) at = sep;
    }
  }
  return at;
}

/** The answer for what `readlink` has thrown. */
export function notALink(error: unknown): Link {
  return (error as NodeJS.ErrnoException).code === "EINVAL" ? false : null;
}
