/**
 * Light objects of the platform's classes. Such an object has few fields, and a genuine object of its class is made
 * for it when code asks for more than it knows.
 *
 * Invariant: a light object has no members of its own. It inherits those of the platform's class, which answer for it
 * and for genuine objects alike. So a program that replaces a member, or calls one by `call`, finds what it would find
 * without light objects.
 */
import * as threads from "node:worker_threads";

/** How the members of a class answer for its light objects. */
export interface LightKind<Light> {
  /** Whether `value` is a light object: what it is then. */
  of(value: object): Light | null;
  /** What is known without a genuine object, by member; a function that gives undefined does not know. */
  readonly known: Readonly<Record<string, (light: Light) => unknown>>;
  genuine(light: Light): object;
}

type Member = (this: unknown, ...given: unknown[]) => unknown;
type Class = abstract new (...given: never[]) => object;

/** Whether the class is the platform's own: what other code puts in its place inherits from it. */
export function isOriginal({ prototype }: Class): boolean {
  return Object.getPrototypeOf(prototype) === Object.prototype;
}

/** Has the members of `native` answer for light objects, too. False when one of them cannot be changed, as in Bun. */
export function overlay<Light>({ prototype }: Class, kind: LightKind<Light>): boolean {
  const members = Reflect.ownKeys(prototype)
    .filter((key) => key !== "constructor")
    .map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor] as const)
    .filter(([, { get, value }]) => get !== undefined || typeof value === "function");
  if (members.some(([, { configurable }]) => configurable !== true)) return false;
  for (const [key, member] of members) {
    const own =
      member.get === undefined
        ? { value: answering(key, member.value, kind) }
        : { get: answering(key, member.get, kind, "get ") };
    Object.defineProperty(prototype, key, { ...member, ...own });
  }
  return true;
}

/** `member`, which for a light object gives what is known, or what the genuine one gives. */
function answering<Light>(key: string | symbol, member: Member, kind: LightKind<Light>, prefix = ""): Member {
  const known = typeof key === "string" && Object.hasOwn(kind.known, key) ? kind.known[key] : undefined;
  const { answer } = {
    answer(this: unknown, ...given: unknown[]): unknown {
      const light = typeof this === "object" && this !== null ? kind.of(this) : null;
      if (light === null) return Reflect.apply(member, this, given);
      const answer = known?.(light);
      return answer === undefined ? Reflect.apply(member, kind.genuine(light), given) : answer;
    },
  };
  return likeFunction(answer, member, `${prefix}${typeof key === "symbol" ? `[${key.description}]` : key}`);
}

/** `made` with the name and the number of parameters that `native` has. */
export function likeFunction<Made extends object>(made: Made, native: object, name?: string): Made {
  for (const key of ["name", "length"]) {
    const own = Object.getOwnPropertyDescriptor(native, key) as PropertyDescriptor;
    Object.defineProperty(made, key, key === "name" && name !== undefined ? { ...own, value: name } : own);
  }
  return made;
}

/** Puts `stand` in the place of the platform's class `native`, whose prototype and static members it has. */
export function replaceGlobal<Native extends Class>(
  name: string,
  native: Native,
  stand: object,
  statics: PropertyDescriptorMap = {},
): void {
  for (const [key, member] of Object.entries<PropertyDescriptor>({
    ...Object.getOwnPropertyDescriptors(native),
    ...statics,
  })) {
    Object.defineProperty(stand, key, member);
  }
  Object.defineProperty(native.prototype, "constructor", { value: stand });
  Reflect.set(globalThis, name, stand);
}

/** For `structuredClone`, which takes no genuine object either, from the Node on that has this. */
export const markAsUncloneable =
  (threads as { markAsUncloneable?: (light: object) => void }).markAsUncloneable ?? (() => {});

/** Gives its argument the private fields of the classes that extend it. */
export class Stamped {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: a class that extends this adds its fields to what is returned
    return object;
  }
}
