// From what a client asked for to a path below a folder. Invariant: what comes out is relative, has no empty, `.` or
// `..` parts and no NUL or backslash: the host refuses what leads out of its folder as well, symbolic links included.

/** The name leads out of the folder. */
export const OUTSIDE: string = "\0outside";
/** No file can have it. */
export const IMPOSSIBLE: string = "\0impossible";

/** Whether a name can only be a folder's: it ends with a slash, or with `.` or `..`. */
export function namesFolder(name: string): bool {
  const last = name.substring(name.lastIndexOf("/") + 1);
  return !last.length || last == "." || last == "..";
}

/** The path of a decoded name, "" for the folder itself; OUTSIDE or IMPOSSIBLE. */
export function pathBelow(name: string): string {
  if (name.includes("\0") || name.includes("\\")) return IMPOSSIBLE;
  if (name.startsWith("/")) return OUTSIDE;
  const parts = name.split("/");
  const kept = new Array<string>();
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part == "..") {
      if (!kept.length) return OUTSIDE;
      kept.pop();
    } else if (part.length && part != ".") kept.push(part);
  }
  return kept.join("/");
}
