// Worker processes that end themselves while the server starts: each of VICTIMS once, the first time that it is
// started.
import { existsSync, writeFileSync } from "node:fs";
import { type HTTPServerRequest, taskId } from "waterspout";

const { FOLDER, VICTIMS = "" } = process.env;
const mark = `${FOLDER}/${taskId()}`;
if (VICTIMS.split(",").includes(String(taskId())) && !existsSync(mark)) {
  writeFileSync(mark, "");
  process.kill(process.pid, "SIGKILL");
}

export default (request: HTTPServerRequest): void => request.respond(200, {}, `${taskId()}\n`);
