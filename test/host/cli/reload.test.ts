// `waterspout reload` and a server that does not say what becomes of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { EXIT_FAILED } from "../../../host/cli/exit.js";
import { reloadProcess } from "../../../host/cli/reload/reload.js";

test.runIf(process.platform === "linux")(
  "a server that does not say what becomes of it is waited for, and no longer",
  async () => {
    const silent = `process.on("SIGHUP", () => console.log("heard")); setInterval(() => {}, 1000); console.log("ready")`;
    const child = spawn(process.execPath, ["-e", silent], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => said.mockRestore());
    const heard = once(child.stdout, "data");
    expect(await reloadProcess(child.pid as number, 200)).toBe(EXIT_FAILED);
    await heard;
    const late = `waterspout: not reloaded: process ${child.pid} has not said within 0.2 s what became of it\n`;
    expect(said.mock.calls).toEqual([[late]]);
  },
);
