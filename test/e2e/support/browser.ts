// Debian's Chromium, or the one that CHROMIUM names, driven by playwright-core. Where there is none the tests are
// skipped and say so. WATERSPOUT_SCREENSHOTS names a folder that gets pictures of what the browser shows.
import { existsSync } from "node:fs";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const executablePath = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
]
  .filter((file) => file !== undefined)
  .find((file) => existsSync(file));
export const hasBrowser = executablePath !== undefined;
if (!hasBrowser) console.warn("no Chromium: install it, or name it with CHROMIUM; tests with a browser are skipped");

export function launchBrowser(): Promise<Browser> {
  // Root has no sandbox of Chromium's; the only pages are our own.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: executablePath!, args, headless: true });
}

export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.WATERSPOUT_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: path.join(folder, `${name}.png`) });
}
