// Request heads as real clients send them.

export const CURL: string =
  "POST /echo?a=b HTTP/1.1\r\nHost: localhost:8888\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n" +
  "Content-Length: 5\r\n\r\n";

export const BROWSER: string =
  "GET /search?q=a%20b|c HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n" +
  'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\n' +
  "Upgrade-Insecure-Requests: 1\r\n" +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 " +
  "Safari/537.36\r\n" +
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
  "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n" +
  "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\nPriority: u=0, i\r\n\r\n";

export const WEBSOCKET: string =
  "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Version: 13\r\n\r\n";

export const PROXIED: string =
  "GET http://user.example.com:8080/a/b?c=d HTTP/1.1\r\nHost: user.example.com:8080\r\nAccept: */*\r\n" +
  "Proxy-Connection: Keep-Alive\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n\r\n";

export const OLD: string = "HEAD /index.html HTTP/1.0\r\nConnection: Keep-Alive\r\nUser-Agent: ApacheBench/2.3\r\n\r\n";

export const UPLOAD: string =
  "PUT /files/a.bin HTTP/1.1\r\nHost: [::1]:8443\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n" +
  "Content-Type: application/octet-stream\r\nAuthorization: Bearer abc.def.ghi\t\r\n\r\n";

/** A head of that size, most of it one Cookie field. */
export function cookies(size: i32): string {
  let text = "GET /account HTTP/1.1\r\nHost: app.example.com\r\nAccept: text/html\r\nAccept-Language: de\r\nCookie: ";
  for (let i = 0; text.length < size; i++) text += "session" + i.toString() + "=abcdefghijklmnopqrstuvwxyz0123456789; ";
  return text.substring(0, size - 4) + "\r\n\r\n";
}
