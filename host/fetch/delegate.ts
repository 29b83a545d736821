/**
 * Light objects of the platform's classes: an object of few fields stands in front of a genuine one, which is made when
 * somebody asks for more than the light one knows.
 *
 * Invariant: a light object has every member that a genuine one has, and is an instance of its class; what it does not
 * know itself the genuine one does.
 */
import { delegateSymbols } from "../nodeinternals/fetchsymbols.js";

type Genuine<Light extends object> = (light: Light) => object;

/**
 * Completes `prototype` by the members of `native`: of its prototype, and of what its instances carry under symbols.
 */
export function delegate<Light extends object>(
  prototype: Light,
  native: { readonly prototype: object },
  sample: object,
  genuine: Genuine<Light>,
): void {
  for (const key of Object.getOwnPropertyNames(native.prototype)) {
    if (Object.hasOwn(prototype, key) && key !== "constructor") continue;
    const member = Object.getOwnPropertyDescriptor(native.prototype, key) as PropertyDescriptor;
    if (key === "constructor") Object.defineProperty(prototype, key, member);
    else Object.defineProperty(prototype, key, { configurable: true, ...carriedOut(key, member, genuine) });
  }
  delegateSymbols(prototype, sample, genuine);
  Object.setPrototypeOf(prototype, native.prototype);
}

function carriedOut<Light extends object>(
  key: string,
  member: PropertyDescriptor,
  genuine: Genuine<Light>,
): PropertyDescriptor {
  if (typeof member.value === "function") {
    return {
      value(this: Light, ...given: unknown[]) {
        const target = genuine(this);
        return Reflect.apply(Reflect.get(target, key), target, given);
      },
    };
  }
  return {
    get(this: Light) {
      return Reflect.get(genuine(this), key);
    },
  };
}

/**
 * Makes `to` hold what `from` does: a genuine object made after somebody may have changed the light one's header
 * fields.
 */
export function copyHeaders(from: Headers, to: Headers): void {
  if (from === to) return;
  for (const name of [...to.keys()]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}
