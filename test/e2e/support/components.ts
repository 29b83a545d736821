// What a component is made of, as jco reads it.
import { readFile } from "node:fs/promises";
import { print } from "@bytecodealliance/jco";

/** `interface.function` of all that a component imports; what its own streams and resources need is no right. */
export async function importsOf(file: string): Promise<string[]> {
  const imports: string[] = [];
  let functions: string[] = [];
  for (const line of (await print(await readFile(file))).split("\n")) {
    if (line.startsWith("  (core module")) break;
    const exported = /^ {6}\(export \(;\d+;\) "([^"]+)" \(func/.exec(line);
    const imported = /^ {2}\(import "([^"]+)" \(instance/.exec(line);
    if (exported) functions.push(exported[1]);
    else if (imported) {
      imports.push(...functions.map((name) => `${imported[1]}.${name}`));
      functions = [];
    }
  }
  return imports;
}
