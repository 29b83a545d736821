// An answer without an end; stderr says what becomes of it. Each application has a copy of its own.
export function stream({ signal }) {
  let timer;
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    console.error("aborted");
  });
  const body = new ReadableStream({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(new TextEncoder().encode("part\n")), 10);
    },
    cancel: () => console.error("cancelled"),
  });
  return new Response(body, { headers: { "Content-Type": "text/plain" } });
}
