// The instructions of a Dockerfile, for tests that run what an image would run.
import { readFileSync } from "node:fs";
import path from "node:path";

import { ROOT } from "./ways.js";

export interface Instruction {
  keyword: string;
  value: string;
}

export function instructionsOf(file: string): Instruction[] {
  const text = readFileSync(path.join(ROOT, file), "utf8").replace(/\\\n/g, " ");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [keyword, ...words] = line.split(/ +/);
    return { keyword, value: words.join(" ") };
  });
}
