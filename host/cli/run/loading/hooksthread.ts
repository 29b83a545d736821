/**
 * The hooks of `loader.ts` for a Node that has no `module.registerHooks` (before 22.15): it runs them in a thread of
 * its own. `tsx` is loaded there at the first file that it has to translate.
 */
import { formatOf, isOwn, type Resolved, TYPESCRIPT } from "./moduleformat.js";

type Resolve = (specifier: string, context: object, next?: Resolve) => Promise<Resolved>;
type Load = (url: string, context: object, next?: Load) => Promise<object>;
interface Hooks {
  initialize(data: object): Promise<void>;
  resolve: Resolve;
  load: Load;
}

let tsx: Hooks | null = null;

export async function resolve(specifier: string, context: object, next: Resolve): Promise<Resolved> {
  // What `tsx` makes of a file depends on its format.
  const withFormat: Resolve = async (...args) => {
    const resolved = await next(...args);
    return { ...resolved, format: formatOf(resolved.url) ?? resolved.format };
  };
  const resolved = await (tsx === null ? withFormat(specifier, context) : tsx.resolve(specifier, context, withFormat));
  if (TYPESCRIPT.test(resolved.url)) await enableTypeScript();
  return resolved;
}

export async function load(url: string, context: object, next: Load): Promise<object> {
  return tsx === null || isOwn(url) ? next(url, context) : tsx.load(url, context, next);
}

async function enableTypeScript(): Promise<void> {
  if (tsx !== null) return;
  const name: string = "tsx/esm"; // has no types
  const hooks = (await import(name)) as Hooks;
  await hooks.initialize({});
  tsx = hooks;
}
