/** Options from several places: those that win over an application's own, and those that its own win over. */
import type { ServerOptions } from "./options.js";

export interface Layers {
  readonly over: ServerOptions;
  readonly under: ServerOptions;
}

/** `own` between the layers. */
export function layered({ over, under }: Layers, own: ServerOptions = {}): ServerOptions {
  return { ...under, ...withoutGaps(own), ...over };
}

/** Without what is undefined, which says nothing and must not hide what another place says. */
export function withoutGaps(options: ServerOptions): ServerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
