// A handler that uses up what its component has.
const kept: Uint8Array[] = [];
const depth = (below: number): number => depth(below + 1) + 1;

export default {
  fetch({ url }: Request): Response {
    const { pathname } = new URL(url);
    if (pathname === "/deep") return new Response(String(depth(0)));
    while (pathname === "/eat") kept.push(new Uint8Array(1 << 20));
    return new Response("Hello, world");
  },
};
