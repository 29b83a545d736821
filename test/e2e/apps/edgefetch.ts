// Asks other servers, in ways that the path names: `to` is the address. What fails is said as JSON.
type Way = (to: string, asked: { request: Request; query: URLSearchParams }) => Promise<Response>;

const ways: Record<string, Way> = {
  /** All of an answer. */
  "/get": async (to, { query }) => {
    const redirect = (query.get("redirect") ?? "follow") as "follow" | "error" | "manual";
    const headers = { authorization: "mine", cookie: "a=1", "x-sent": "grüße" };
    const answer = await fetch(to, { headers, redirect, method: query.get("method") ?? "GET" });
    const { status, url, redirected } = answer;
    const all = answer.headers;
    const fields = [all.get("x-answer"), all.get("content-length"), all.getSetCookie()];
    return Response.json({ status, url, redirected, fields, text: await answer.text() });
  },
  /** A body of the application. */
  "/post": async (to) => {
    const answer = await fetch(to, { method: "POST", body: JSON.stringify({ a: 1 }), headers: { "X-Kind": "whole" } });
    return new Response(await answer.text());
  },
  /** Bodies both ways, as they come. */
  "/pass": (to, { request }) => fetch(new Request(to, request)),
  /** No more than the first piece. */
  "/first": async (to) => {
    const reader = (await fetch(to)).body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    await reader?.cancel();
    return Response.json({ first: (value?.length ?? 0) > 0 });
  },
  /** The signal ends it, in the head or in the body. */
  "/timeout": async (to) => {
    const answer = await fetch(to, { signal: AbortSignal.timeout(200) });
    return new Response(await answer.text());
  },
  /** As many at once. */
  "/many": async (to, { query }) => {
    const all = Array.from({ length: Number(query.get("count")) }, () => fetch(to).then((answer) => answer.text()));
    const settled = await Promise.allSettled(all);
    const failures = settled.flatMap((each) => (each.status === "rejected" ? [String(each.reason)] : []));
    return Response.json({ answered: settled.length - failures.length, failures: [...new Set(failures)] });
  },
};

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      const way = ways[pathname];
      return (await way?.(searchParams.get("to") ?? "", { request, query: searchParams })) ?? new Response("ready");
    } catch (error) {
      return Response.json({ name: (error as Error).name, message: (error as Error).message });
    }
  },
};
