// examples/chat.ts in a real browser, and with members that do not read.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { hasBrowser, launchBrowser, screenshot } from "./support/browser.js";
import { Client } from "./support/client.js";
import { Built, EDGE, MAKE_MS } from "./support/edge.js";
import { residentBytes } from "./support/processes.js";
import { eventually, NODE, type Server, start, WASMTIME } from "./support/ways.js";
import { frame, handshakeText, TEXT, WsClient } from "./support/wsclient.js";

const MIB = 1 << 20;

const built = new Built();
afterAll(() => built.remove());

describe.each([NODE, WASMTIME, EDGE])("the chat, $name", (way) => {
  let server: Server;
  beforeAll(async () => {
    server = await start(way, way === EDGE ? await built.compile("examples/chat.ts") : "examples/chat.ts");
  }, MAKE_MS);
  afterAll(() => server.stop());

  describe.skipIf(!hasBrowser)("in a browser", () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser.close());

    const complaints: string[] = [];
    /** A page of the chat whose user has given a name. */
    async function join(name: string): Promise<Page> {
      const page = await browser.newPage({ viewport: { width: 720, height: 480 } });
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(server.url);
      await page.getByText("Connected").waitFor();
      await say(page, name);
      await page.getByText(`${name} has come`).waitFor();
      return page;
    }
    async function say(page: Page, text: string): Promise<void> {
      await page.getByRole("textbox").fill(text);
      await page.keyboard.press("Enter");
    }
    /** What was said, as the page shows it: without the times. */
    const lines = (page: Page): Promise<string[]> =>
      page
        .locator("#lines li")
        .evaluateAll((items: { querySelector(name: string): { remove(): void }; textContent: string }[]) =>
          items.map((item) => {
            item.querySelector("time").remove();
            return item.textContent;
          }),
        );

    test("two pages chat with each other, and a third reads what was said before", async () => {
      const ada = await join("Ada");
      const bob = await join("Bob");
      await say(ada, "Hello Bob, grüß dich — <b>not bold</b> 🌊");
      await bob.getByText("<b>not bold</b>").waitFor();
      await say(bob, "Hello Ada!");
      await ada.getByText("Hello Ada!").waitFor();
      const third = await join("Carol");
      await bob.getByText("Carol has come").waitFor();
      await screenshot(bob, `chat-${way.name}`);
      await bob.close();
      await ada.getByText("Bob has left").waitFor();
      const said = [
        "Ada has come",
        "Bob has come",
        "AdaHello Bob, grüß dich — <b>not bold</b> 🌊",
        "BobHello Ada!",
        "Carol has come",
        "Bob has left",
      ];
      await third.getByText("Bob has left").waitFor();
      expect(await lines(ada)).toEqual(said);
      expect(await lines(third)).toEqual(said);
      expect(complaints).toEqual([]);
      await ada.close();
      await third.close();
    });

    test.skipIf(way === EDGE)("a page hears when the server stops", async () => {
      const stopping = await start(way, "examples/chat.ts");
      const page = await browser.newPage();
      await page.goto(stopping.url);
      await page.getByText("Connected").waitFor();
      await stopping.stop();
      await page.getByText("Closed (1001").waitFor();
      await page.close();
    });

    test("a page of another origin is not let in", async () => {
      const page = await browser.newPage();
      await page.goto("about:blank");
      const url = server.url.replace("http", "ws");
      const outcome = await page.evaluate(`new Promise((resolve) => {
        const socket = new WebSocket("${url}ws");
        socket.onopen = () => resolve("open");
        socket.onclose = ({ code }) => resolve(code);
      })`);
      expect(outcome).toBe(1006);
      await page.close();
    });
  });

  test("one who never reads is dropped; the others miss nothing and memory does not grow", async () => {
    const before = residentBytes(server.pid);
    const silent = await Client.connect(server.port, { silent: true });
    silent.send(handshakeText("/ws")).send(frame(TEXT, "Silent"));
    const [one, other] = [await WsClient.open(server), await WsClient.open(server)];
    one.send(TEXT, "One");
    // The silent one is dropped after some mebibytes, of which the kernel's buffers take the most.
    const LINES_MAX = 40_000;
    let said = 0;
    let isDropped = false;
    const heard = [0, 0];
    const read = async (index: number, socket: WsClient): Promise<void> => {
      while (!isDropped || heard[index] < said) {
        const { name, text } = JSON.parse((await socket.readMessage()).payload.toString());
        if (name === "One") expect(text.startsWith(`${heard[index]++} `)).toBe(true);
        if (text === "Silent has left") isDropped = true;
      }
    };
    const reading = Promise.all([read(0, one), read(1, other)]);
    reading.catch(() => {});
    while (!isDropped && said < LINES_MAX) {
      const block = Array.from({ length: 100 }, (_, at) => frame(TEXT, `${said + at} ${"x".repeat(950)}`));
      said += block.length;
      one.client.send(Buffer.concat(block));
      await eventually("what was said comes back", () => Math.min(...heard) > said - 300);
    }
    expect(isDropped).toBe(true);
    await reading;
    expect(residentBytes(server.pid) - before, "growth of memory").toBeLessThan(64 * MIB);
    silent.resume();
    await silent.gone();
    one.client.close();
    other.client.close();
  });
});
