/** What this process runs, as people call it: the live page and logs show it. */
import { basename } from "node:path";

let name: string | null = null;

/** The application that the command runs, or the file that Node was started with; `""` when there is none. */
export function programName(): string {
  return name ?? basename(process.argv[1] ?? "");
}

/** The command runs `application`, a path. */
export function nameProgram(application: string): void {
  name = basename(application);
}
