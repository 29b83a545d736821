// The files of deploy/: each is one that its own program takes. Where that is not installed, its test is left out.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { blocks } from "./documents.js";

const UNITS = "deploy/systemd";

function isThere(program: string): boolean {
  return spawnSync(program, ["-v"]).error === undefined;
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "waterspout-deploy-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("the units are those of docs/deployment.md", () => {
  const documented = blocks.filter(({ language }) => language === "ini").map(({ name, text }) => [name, text.trim()]);
  const files = readdirSync(UNITS).map((name) => [name, readFileSync(path.join(UNITS, name), "utf8").trim()]);
  expect(Object.fromEntries(files)).toEqual(Object.fromEntries(documented));
});

test.runIf(isThere("systemd-analyze"))("systemd takes the units", () => {
  const made = folder();
  for (const name of readdirSync(UNITS)) {
    const text = readFileSync(path.join(UNITS, name), "utf8");
    // It also looks whether the programs are there, which are installed elsewhere.
    writeFileSync(path.join(made, name), text.replace(/^(Exec\w+=)\S+/gm, `$1${process.execPath}`));
  }
  const files = readdirSync(made).map((name) => path.join(made, name));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], { encoding: "utf8" });
  // It reads the machine's own units, too; what it says of those is not ours.
  expect(stderr.split("\n").filter((line) => line.includes("waterspout"))).toEqual([]);
  expect(status).toBe(0);
});

test.runIf(isThere("haproxy"))("HAProxy takes its configuration", () => {
  execFileSync("haproxy", ["-c", "-q", "-f", "deploy/haproxy.cfg"], { stdio: "pipe" });
});

test.runIf(isThere("nginx"))("nginx takes its configuration", () => {
  const made = folder();
  mkdirSync(path.join(made, "logs"));
  copyFileSync("deploy/nginx.conf", path.join(made, "nginx.conf"));
  const { status, stderr } = spawnSync("nginx", ["-t", "-q", "-p", made, "-c", "nginx.conf", "-e", "stderr"], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
