/** `waterspout reload PID`: has a server load its application again, and says what became of it. */
import { UsageError } from "../../core/errors.js";
import type { Command } from "../command.js";
import { commandHelp } from "../help.js";

const name = "reload";
const usage = "PID";

const ABOUT =
  "Sends SIGHUP to a server that waterspout run --reloadable has started: new processes load the application again, " +
  "certificates included; once they serve, the old ones finish what they have begun. The exit status is 1 when the " +
  "new version does not serve: then the old one serves on.";

export const reload: Command = {
  name,
  summary: "have a server load its application again, without losing a connection",
  usage,
  argument: { value: "PID" },
  help: commandHelp({ name, usage, options: {} }, ABOUT),
  options: {},
  async run(_values, [text, ...rest]) {
    if (text === undefined || rest.length > 0) throw new UsageError("reload needs the id of one process: its PID");
    if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`PID must be a number, not ${JSON.stringify(text)}`);
    const { reloadProcess } = await import("./reload.js");
    return reloadProcess(Number(text));
  },
};
