// Reverse proxies, each in front of an nginx that answers a hello. It runs beside them and does not count.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { built, NGINX } from "./servers.mjs";
import { BENCH_DIRECTORY, haproxy, nginx, ROOT, wasmtime, wasmtimeAsync } from "./tools.mjs";

function example(title, kind, tool) {
  const launch = (port, upstream) => {
    const allowed = ["-S", "inherit-network=y", "--env", `UPSTREAM=127.0.0.1:${upstream}`];
    return { command: [tool().command, "run", ...allowed, built(`build/proxy.${kind}.wasm`), "--port", String(port)] };
  };
  return { title: `Waterspout, AssemblyScript, ${title}`, product: true, behind: NGINX, launch };
}

/** A program that reads `file` of bench/peers, with these ports; `parameters` of its folder and its name. */
function peer(title, tool, file, parameters) {
  const launch = (port, upstream) => {
    const folder = join(BENCH_DIRECTORY, "proxies");
    mkdirSync(folder, { recursive: true });
    const template = readFileSync(join(ROOT, "bench/peers", file), "utf8").replace(/^#.*\n/gm, "");
    const text = template.replace("PORT", String(port)).replace("UPSTREAM", String(upstream));
    writeFileSync(join(folder, file), text);
    const { command, env } = tool();
    return { command: [command, ...parameters(folder, file)], env };
  };
  return { title, product: false, behind: NGINX, launch };
}

export const PROXIES = {
  async: example("component of WASI 0.3", "component-async", wasmtimeAsync),
  component: example("component of WASI 0.2", "component", wasmtime),
  nginx: peer("nginx's proxy_pass, one worker", nginx, "nginx-proxy.conf", (folder, file) => [
    ...["-p", folder, "-c", file, "-e", "stderr"],
  ]),
  haproxy: peer("HAProxy, one thread", haproxy, "haproxy.cfg", (folder, file) => ["-db", "-f", join(folder, file)]),
};
