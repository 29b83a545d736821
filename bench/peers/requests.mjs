// The requests of the parser rows: what a tool sends, what a browser sends, and what a browser sends to a site that
// loves cookies.

const lines = (...all) => `${all.join("\r\n")}\r\n\r\n`;

const BROWSER = [
  "GET /articles/2026/11/a-longer-title-of-something?ref=home&page=2 HTTP/1.1",
  "Host: www.example.com",
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "Upgrade-Insecure-Requests: 1",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-User: ?1",
  "Sec-Fetch-Dest: document",
  "Referer: https://www.example.com/",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
];

/** `count` cookies of a name and a value that look like those of trackers and sessions. */
function cookies(count) {
  const cookie = (index) =>
    `_site_${index}=${"0123456789abcdefABCDEF-_.%7C".repeat(3).slice(index % 11)}${index * 7919}`;
  return Array.from({ length: count }, (_, index) => cookie(index)).join("; ");
}

/** By name, each a whole head. */
export const REQUESTS = {
  short: lines("GET / HTTP/1.1", "Host: example.com"),
  browser: lines(...BROWSER),
  cookies: lines(...BROWSER, `Cookie: ${cookies(36)}`),
};

/**
 * Bytes of a buffer that all parsers are given: so many requests that a call costs nothing, so few that they stay in
 * the cache.
 */
const BUFFER_BYTES = 65_536;

/** { bytes, requests, fields } of a buffer that holds nothing but the request of that name. */
export function bufferOf(name) {
  const head = REQUESTS[name];
  const requests = Math.floor(BUFFER_BYTES / head.length);
  return { bytes: Buffer.from(head.repeat(requests), "latin1"), requests, fields: head.split("\r\n").length - 3 };
}
