/**
 * Paths below a folder: where one really is, whatever symbolic links are on its way, and whether that is in the folder.
 * `realpath` fails for a missing file without a word about whether it would be in the folder; without that, a link that
 * leads out of it would show by its error what is there. So the links are followed here as far as there is something.
 *
 * Invariant: a path outside of the folders is refused alike, whether or not something is there. The folders can still
 * be changed between this check and the opening: serve none that others may write to.
 */
import { constants, readlinkSync, realpathSync } from "node:fs";
import { readlink, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";

/** How a regular file is opened: no link is followed any more, and a pipe does not wait for its other end. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** As in Linux; more of them are a loop. */
const LINKS_MAX = 40;

/** A path that leads out of the folders. */
export class OutsideError extends Error {
  readonly code = "EOUTSIDE";
}

/** A call that the search for a path makes; it gets the answer, or what the call has thrown. */
interface Call {
  readonly name: "realpath" | "readlink";
  readonly path: string;
}
type Search = Generator<Call, string, string>;

/** Where `path` really is. Throws OutsideError when that is in none of `folders`, and the errors of `realpath`. */
export function realPathBelowSync(path: string, folders: readonly string[]): string {
  const search = findBelow(path, folders);
  for (let step = search.next(); ; ) {
    if (step.done === true) return step.value;
    const { name, path } = step.value;
    let answer: string;
    try {
      answer = name === "realpath" ? realpathSync(path) : readlinkSync(path);
    } catch (error) {
      step = search.throw(error);
      continue;
    }
    step = search.next(answer);
  }
}

/** The same without waiting in the event loop's thread: rejects where `realPathBelowSync` throws. */
export async function realPathBelow(path: string, folders: readonly string[]): Promise<string> {
  const search = findBelow(path, folders);
  for (let step = search.next(); ; ) {
    if (step.done === true) return step.value;
    const { name, path } = step.value;
    let answer: string;
    try {
      answer = await (name === "realpath" ? realpath(path) : readlink(path));
    } catch (error) {
      step = search.throw(error);
      continue;
    }
    step = search.next(answer);
  }
}

/** Whether `path` is `folder` or below it, by their texts. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function* findBelow(path: string, folders: readonly string[]): Search {
  const roots: string[] = [];
  for (const folder of folders) roots.push(yield { name: "realpath", path: folder });
  const isInside = (found: string): boolean => roots.some((root) => isBelow(found, root));
  try {
    const real = yield { name: "realpath", path };
    if (isInside(real)) return real;
  } catch (error) {
    if (isInside(yield* firstMissing(path))) throw error;
  }
  throw new OutsideError(`${path} is not in the folder`);
}

/** The first path on the way to `path` that is missing, links followed; where `path` leads when none is. */
function* firstMissing(path: string): Search {
  const parts = path.split(sep);
  let at: string = sep;
  for (let links = 0; parts.length > 0; ) {
    const part = parts.shift() as string;
    const next = part === ".." ? dirname(at) : join(at, part);
    let link: string | null = null;
    try {
      if (next.length > at.length) link = yield { name: "readlink", path: next };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EINVAL") return next; // EINVAL: something is there, and no link
    }
    if (link === null) at = next;
    else if (++links > LINKS_MAX) return next;
    else {
      parts.unshift(...link.split(sep));
      if (isAbsolute(link)) at = sep;
    }
  }
  return at;
}
