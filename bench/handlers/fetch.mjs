// The hello as a fetch handler, for any server that takes one.
export default {
  fetch: () => new Response("Hello, world", { headers: { "Content-Type": "text/plain" } }),
};
