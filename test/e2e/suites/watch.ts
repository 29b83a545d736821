// `--watch`: the files of an application change while it is used. Each test edits a copy in a folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

import { Client } from "../support/client.js";
import { CLI, eventually, ROOT, type Server, start, type Way } from "../support/ways.js";

const APP = `
import { text } from "./part.ts";
export default async (request) => {
  const { searchParams } = new URL(request.target, "http://x");
  await new Promise((done) => setTimeout(done, Number(searchParams.get("ms") ?? 0)));
  request.respond(200, { "Content-Type": "text/plain" }, text);
};
`;
const RESTARTED = /changed: restarted in \d+ ms$/gm;

export function watchSuite(way: Way): void {
  describe("--watch", () => {
    let folder: string;
    const file = (name: string): string => path.join(folder, name);
    const edit = (text: string): void => writeFileSync(file("part.ts"), `export const text = ${text};\n`);
    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), "waterspout-watch-"));
      writeFileSync(file("app.ts"), APP);
      edit('"one"');
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const watch = async (app: string, args: string[] = []): Promise<Server> => {
      const server = await start(way, file(app), ["--watch", ...args]);
      onTestFinished(() => server.stop());
      return server;
    };
    const answer = async (server: Server): Promise<string> => (await server.get("/")).body.toString();
    const answers = (server: Server, text: string): Promise<void> =>
      eventually(`it answers ${text}: ${server.output.stderr}`, async () => (await answer(server)) === text);
    const restarts = (server: Server): number => server.output.stderr.match(RESTARTED)?.length ?? 0;

    describe("an edit", () => {
      test("an imported file is edited: requests that come all the time are all answered, before, during and after", async () => {
        const server = await watch("app.ts");
        const seen = new Set<string>();
        let over = false;
        const ask = async (): Promise<void> => {
          while (!over) seen.add(await answer(server));
        };
        const asking = Promise.all([ask(), ask(), ask()]);
        for (const text of ["two", "three"]) {
          edit(`"${text}"`);
          await eventually(`it answers ${text}`, () => seen.has(text));
          await eventually("it says so", () => restarts(server) === seen.size - 1);
        }
        over = true;
        await asking;
        expect([...seen]).toEqual(["one", "two", "three"]);
        expect(server.output.stderr).toMatch(/^waterspout: \S*part\.ts changed: restarted in \d+ ms$/m);
        expect(server.output.stdout.split("\n")).toHaveLength(2);
      });

      test("a request in flight is finished by the version that began it", async () => {
        const server = await watch("app.ts");
        const busy = (await server.connect()).send("GET /?ms=2500 HTTP/1.1\r\nHost: x\r\n\r\n");
        await answer(server);
        edit('"two"');
        await answers(server, "two");
        expect(busy.receivedBytes, "the answer must still be on its way").toBe(0);
        expect((await busy.readResponse()).body.toString()).toBe("one");
      });

      test("what does not load is said once, with its file and line, and the version before serves on", async () => {
        const server = await watch("app.ts");
        writeFileSync(file("part.ts"), 'export const text = "two";\nconst = 3;\n');
        await server.complaint(/the version before serves on/);
        expect(server.output.stderr.match(/part\.ts:2\b/g)).toHaveLength(1);
        expect(await answer(server)).toBe("one");
        edit('"three"');
        await answers(server, "three");
      });

      test("what throws while it loads, imports what is not there, or has no handler, is no better", async () => {
        const server = await watch("app.ts");
        const fails = async (text: string, complaint: RegExp): Promise<void> => {
          writeFileSync(file("app.ts"), text);
          await server.complaint(complaint);
          expect(await answer(server)).toBe("one");
        };
        await fails('throw new Error("on purpose");', /on purpose.*app\.ts:1/);
        await fails("export const nothing = 1;", /no handler/);
        await fails('import { text } from "./late.ts";\nexport default (r) => r.respond(200, {}, text);', /late\.ts/);
        await eventually("all three are over", () => server.output.stderr.match(/serves on/g)?.length === 3);
        writeFileSync(file("late.ts"), 'export const text = "late";\n');
        await answers(server, "late");
      });

      test.each([
        ["by its name", '"./late.ts"'],
        ["by a name that is computed", '"./la" + "te.ts"'],
      ])("a file that a handler imports later, %s, is watched from then on", async (_how, name) => {
        writeFileSync(file("late.ts"), 'export const text = "one";\n');
        writeFileSync(
          file("app.ts"),
          `export default async (r) => r.respond(200, {}, (await import(${name})).text);\n`,
        );
        const server = await watch("app.ts");
        await answers(server, "one");
        await eventually("a change is seen", async () => {
          writeFileSync(file("late.ts"), 'export const text = "two";\n');
          await sleep(1500); // a burst of saves would be one change; the first may come before the file is known
          return (await answer(server)) === "two";
        });
      });

      test("what the application starts does not report its modules to it", async () => {
        writeFileSync(file("child.mjs"), 'await import("./part.ts");\nprocess.send("over");\n');
        writeFileSync(
          file("app.ts"),
          `import { fork } from "node:child_process";
        export default (r) => {
          const told = [];
          const child = fork(${JSON.stringify(file("child.mjs"))}, { execArgv: ["--import", "tsx"], cwd: ${JSON.stringify(ROOT)} });
          child.on("message", (message) => {
            told.push(message);
            if (message === "over") r.respond(200, {}, JSON.stringify(told));
          });
        };`,
        );
        const server = await watch("app.ts");
        expect(await answer(server)).toBe('["over"]');
      });
    });

    describe("files, workers and the live page", () => {
      test("a file is replaced, and removed and written anew, as editors do", async () => {
        const server = await watch("app.ts");
        writeFileSync(file("part.ts~"), 'export const text = "two";\n');
        renameSync(file("part.ts~"), file("part.ts"));
        await answers(server, "two");
        rmSync(file("part.ts"));
        await sleep(600); // longer than it takes to notice: nothing must be loaded meanwhile
        expect(await answer(server)).toBe("two");
        edit('"three"');
        await answers(server, "three");
        await eventually("it says so", () => restarts(server) === 2);
        expect(server.output.stderr).not.toMatch(/cannot load/);
      });

      test("a burst of saves is one restart; packages, dot folders and files that are not imported are none", async () => {
        mkdirSync(file("node_modules/package"), { recursive: true });
        writeFileSync(file("node_modules/package/index.js"), "export const n = 1;\n");
        mkdirSync(file(".cache"));
        writeFileSync(file(".cache/generated.ts"), "export const m = 1;\n");
        writeFileSync(file("app.ts"), `import "package";\nimport "./.cache/generated.ts";\n${APP}`);
        const server = await watch("app.ts");
        writeFileSync(file("node_modules/package/index.js"), "export const n = 2;\n");
        writeFileSync(file(".cache/generated.ts"), "export const m = 2;\n");
        writeFileSync(file("notes.txt"), "n");
        for (let at = 0; at < 20; at++) {
          edit(`"edit ${at}"`);
          writeFileSync(file("app.ts"), `// ${at}\n${APP}`);
          await sleep(10);
        }
        await answers(server, "edit 19");
        await eventually("it says so", () => restarts(server) === 1);
        await sleep(1000); // no second restart must follow
        expect(restarts(server)).toBe(1);
        expect(server.output.stderr).toMatch(/and 1 more changed/);
      });

      test("what cannot be loaded at first is waited for", async () => {
        writeFileSync(file("part.ts"), "export const text = ;\n");
        let serving: Promise<Server> | undefined;
        const launched = await new Promise<Server>((resolve) => {
          serving = start(way, file("app.ts"), ["--watch"], { launched: resolve });
        });
        await launched.complaint(/does not serve; waiting for a change/);
        edit('"at last"');
        const server = (await serving) as Server;
        onTestFinished(() => server.stop());
        await answers(server, "at last");
      });

      test("SIGINT while a new version loads: what is in flight is answered, and it exits with 0", async () => {
        writeFileSync(file("package.json"), '{ "type": "module" }'); // whose modules may wait at their top level
        const server = await watch("app.ts");
        const busy = (await server.connect()).send("GET /?ms=1500 HTTP/1.1\r\nHost: x\r\n\r\n");
        await answer(server);
        writeFileSync(
          file("app.ts"),
          `console.error("loading");\nawait new Promise((done) => setTimeout(done, 60_000));\n${APP}`,
        );
        await server.complaint(/loading/);
        server.signal("SIGINT");
        expect((await busy.readResponse()).body.toString()).toBe("one");
        expect(await server.exited).toEqual({ code: 0, signal: null });
        await expect(Client.connect(server.port)).rejects.toThrow("ECONNREFUSED");
      });

      test("several workers are replaced together", async () => {
        const server = await watch("app.ts", ["--workers", "2"]);
        edit('"two"');
        await eventually("it says so", () => restarts(server) === 1);
        for (let at = 0; at < 20; at++) await answers(server, "two");
      });

      test("the live page stays where it is, and shows who serves now", async () => {
        const server = await watch("app.ts", ["--inspect=0"]);
        const [, page] = /(http:\/\/127\.0\.0\.1:\d+\/)/.exec(await server.complaint(/http:\/\/127/))!;
        const ready = async (): Promise<string> => (await (await fetch(`${page}health/ready`)).text()).trim();
        expect(await ready()).toBe("ready");
        edit('"two"');
        await answers(server, "two");
        await eventually("ready again", async () => (await ready()) === "ready");
      });
    });

    describe("what is served", () => {
      test("the port that is exported changes: the new version serves there, the old one no more", async () => {
        const other = net.createServer().listen(0, "127.0.0.1");
        await once(other, "listening");
        const { port } = other.address() as net.AddressInfo;
        await new Promise((done) => other.close(done));
        const application = (port: number): string =>
          `export default { port: ${port}, fetch: () => new Response("fine") };`;
        writeFileSync(file("moves.ts"), application(0));
        const child = spawn(process.execPath, [
          CLI,
          "run",
          file("moves.ts"),
          "--watch",
          "--json",
          "--runtime",
          way.runtime,
        ]);
        onTestFinished(async () => {
          child.kill("SIGTERM");
          await once(child, "exit");
        });
        let said = "";
        child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
        const { url } = JSON.parse((await once(child.stdout, "data")).join());
        expect(await (await fetch(url)).text()).toBe("fine");
        writeFileSync(file("moves.ts"), application(port));
        await eventually(`it says so: ${said}`, () => said.includes(`it serves http://127.0.0.1:${port}/ now`));
        expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("fine");
        await eventually("the old one is gone", () =>
          fetch(url).then(
            () => false,
            () => true,
          ),
        );
      });

      test("a file that is read and not imported, if the application says so", async () => {
        writeFileSync(file("page.txt"), "one");
        writeFileSync(
          file("reads.ts"),
          `import { readFileSync } from "node:fs";
         import { watchFile } from ${JSON.stringify(path.join(ROOT, "dist/host/index.js"))};
         const page = new URL("page.txt", import.meta.url).pathname;
         watchFile(page);
         const text = readFileSync(page, "utf8");
         export default (request) => request.respond(200, {}, text);`,
        );
        writeFileSync(file("package.json"), '{ "type": "module" }');
        const server = await watch("reads.ts");
        writeFileSync(file("page.txt"), "two");
        await answers(server, "two");
      });

      test("an Application in debug mode is watched without being asked; autoreload: false says no", async () => {
        mkdirSync(file("node_modules"));
        symlinkSync(ROOT, file("node_modules/waterspout"));
        const application = (settings: string): string => `
        import { Application, RequestHandler } from "waterspout";
        import { text } from "./part.ts";
        class Main extends RequestHandler { get() { this.write(text); } }
        export default new Application([["/", Main]], ${settings});`;
        writeFileSync(file("debug.ts"), application("{ debug: true }"));
        writeFileSync(file("quiet.ts"), application("{ debug: true, autoreload: false }"));
        const [server, quiet] = [await start(way, file("debug.ts")), await start(way, file("quiet.ts"))];
        onTestFinished(async () => void (await Promise.all([server.stop(), quiet.stop()])));
        edit('"two"');
        await answers(server, "two");
        expect(await answer(quiet)).toBe("one");
      });

      test("a .wasm application that is compiled anew", async () => {
        copyFileSync(path.join(ROOT, "build/echo.wasm"), file("app.wasm"));
        const server = await start(way, file("app.wasm"), ["--watch"]);
        onTestFinished(() => server.stop());
        // One that the old application has accepted at its end is cut: it cannot be asked to finish.
        const line = async (): Promise<string> => {
          const client = await server.connect();
          const text = await client
            .send("GET / HTTP/1.1\r\n\r\n")
            .readUntil("\n")
            .catch(() => "cut");
          client.reset();
          return text;
        };
        expect(await line()).toBe("GET / HTTP/1.1\r\n");
        writeFileSync(file("app.wasm"), "no module");
        await server.complaint(/serves on/);
        expect(await line()).toBe("GET / HTTP/1.1\r\n");
        copyFileSync(path.join(ROOT, "build/demo.wasm"), file("app.wasm"));
        await eventually("it says so", () => restarts(server) === 1);
        await eventually("the other application answers", async () => /^HTTP\/1\.1 400/.test(await line()));
      });
    });
  });
}
