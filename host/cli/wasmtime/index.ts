/** `waterspout install-wasmtime`: puts the wasmtime that this package pins into the user's cache. */
import { UsageError } from "../../core/errors.js";
import type { Command, Option } from "../command.js";
import { commandHelp } from "../help.js";

const name = "install-wasmtime";
const usage = "[options]";

const options = {
  async: { type: "boolean", help: "the later version, for --runtime component-async" },
  force: { type: "boolean", help: "download it, even if there is one already" },
} satisfies Record<string, Option>;

const ABOUT =
  "Downloads wasmtime 36, which --runtime wasmtime and component need, with pip from the index that pip is set up " +
  "for, checks it against a checksum of this package, and puts it into the user's cache. Prints the path of the " +
  "binary. Where one of the right version is found already, it prints the path of that.";

export const installWasmtime: Command = {
  name,
  summary: "download wasmtime, for --runtime wasmtime",
  usage,
  help: commandHelp({ name, usage, options }, ABOUT),
  options,
  async run(values, positionals) {
    if (positionals.length > 0) throw new UsageError(`${name} takes no argument, not ${positionals.join(" ")}`);
    const { install } = await import("./installer.js");
    return install(values.async === true ? "component-async" : "wasmtime", values.force === true);
  },
};
