// Every function of the host that reads a peer's text takes time in proportion to it, on hostile texts of every kind.

import { BlockList } from "node:net";
import { resolve } from "node:path";
import { test } from "vitest";
import { escapeHTML, squeeze, urlEscape, urlUnescape, xhtmlUnescape } from "../../../host/core/escape.js";
import { errorLine, LineReader } from "../../../host/core/log.js";
import { percentDecode } from "../../../host/core/percent.js";
import { standardRequest } from "../../../host/fetch/request.js";
import { plainAnswer, ResponseStandIn } from "../../../host/fetch/response.js";
import { textLine, visible } from "../../../host/http/accessline.js";
import { negotiateCoding } from "../../../host/http/compression/acceptencoding.js";
import { consumedFields } from "../../../host/http/compression/gunzip.js";
import { codeHead, resolveCompression } from "../../../host/http/compression/options.js";
import { parseCookies, setCookie } from "../../../host/http/cookies.js";
import { MultipartReader } from "../../../host/http/form/multipart.js";
import { decodeExtended, parseParameters } from "../../../host/http/form/parameters.js";
import { parseUrlencoded } from "../../../host/http/form/urlencoded.js";
import { forwardedBy } from "../../../host/http/forwarded.js";
import { checkField, encodeHeaders, HTTPHeaders, withReason } from "../../../host/http/headers.js";
import {
  parseRequestStartLine,
  parseResponseStartLine,
  splitHostAndPort,
  urlConcat,
} from "../../../host/http/httputil.js";
import { isSameOrigin } from "../../../host/http/origins.js";
import type { HTTPServerRequest } from "../../../host/http/request.js";
import { authorityOf, pathStart } from "../../../host/http/target.js";
import { hasControl, siteOf } from "../../../host/web/addresses.js";
import { cleaned, parseArguments } from "../../../host/web/arguments.js";
import { precondition } from "../../../host/web/conditions.js";
import { namesEtag } from "../../../host/web/etags.js";
import { checkBelow, namesFolder } from "../../../host/web/files.js";
import { FieldSet } from "../../../host/web/headers.js";
import { parseHTTPDate } from "../../../host/web/httpdate.js";
import { Pattern } from "../../../host/web/pathpattern.js";
import { parseRange } from "../../../host/web/ranges.js";
import { HostMatches } from "../../../host/web/routing.js";
import { createSignedValue, decodeSignedValue } from "../../../host/web/signedvalue.js";
import { decodeXSRFToken, foreignOrigin } from "../../../host/web/xsrf.js";
import { refusalOf, subprotocolsOf } from "../../../host/websocket/handshake.js";
import { negotiate, parseExtensions } from "../../../host/websocket/permessagedeflate.js";
import { expectLinear, FILLERS } from "../support/hostile.js";

const request = (fields: Record<string, string>, parts: Partial<HTTPServerRequest> = {}): HTTPServerRequest =>
  ({
    method: "GET",
    target: "/",
    path: "/",
    host: "localhost",
    protocol: "http",
    contentLength: 0,
    signal: new AbortController().signal,
    rawFields: Object.entries(fields).flat(),
    headers: new HTTPHeaders(Object.entries(fields)),
    ...parts,
  }) as HTTPServerRequest;

const local = new BlockList();
local.addAddress("127.0.0.1");
const forwarded = (standard: boolean, name: string, text: string): unknown =>
  forwardedBy(
    { proxies: local, peers: local, standard, anonymous: false },
    new HTTPHeaders([[name, text]]),
    { address: "127.0.0.1", port: 1, family: "IPv4" },
    "http",
  );

/** A form with one part, whose header holds the text; it comes in blocks of 64 bytes. */
async function part(text: string): Promise<unknown> {
  const body = Buffer.from(`--b\r\nContent-Disposition: form-data; name=a\r\nX: ${text}\r\n\r\n${text}\r\n--b--`);
  let at = 0;
  const source = { next: async () => (at < body.length ? body.subarray(at, (at += 64)) : null) };
  const reader = new MultipartReader(source, parseParameters("multipart/form-data; boundary=b") as never, {
    partsMax: 10,
    partHeaderBytesMax: 1e6,
  });
  await reader.nextPart();
  return reader.nextPart();
}

const compression = resolveCompression(true);
const FUNCTIONS: Record<string, (text: string) => unknown> = {
  cookies: parseCookies,
  "a quoted cookie": (text) => parseCookies(`a="${text}"`),
  setCookie: (text) => setCookie("a", text),
  "a field's value": (text) => checkField("a", text),
  "a field's name": (text) => checkField(text, ""),
  "fields of an answer": (text) => encodeHeaders({ a: text }),
  "a reason": (text) => withReason(encodeHeaders({}), text),
  "fields of a handler": (text) => new FieldSet([]).with("a", text).get(text),
  "fields of a Response": (text) => plainAnswer(new ResponseStandIn("", { headers: { a: text } })),
  "a form": (text) => parseUrlencoded(Buffer.from(text), 1e9),
  arguments: (text) => parseArguments(Buffer.from(text)),
  "an argument": (text) => cleaned(text, true),
  "a part of a form": part,
  parameters: parseParameters,
  "a parameter": (text) => parseParameters(`a/b; c=${text}`),
  "a quoted parameter": (text) => parseParameters(`a/b; c="${text}`),
  "an extended parameter": (text) => decodeExtended(`UTF-8''${text}`),
  "Accept-Encoding": (text) => negotiateCoding(text, ["gzip"]),
  "Content-Encoding": (text) => consumedFields(["content-encoding", text]),
  "a head that is compressed": (text) =>
    codeHead(
      compression as never,
      text,
      200,
      [
        ["Cache-Control", text],
        ["Vary", text],
        ["Content-Type", text],
      ],
      -1,
      true,
    ),
  Forwarded: (text) => forwarded(true, "forwarded", text),
  "a pair of Forwarded": (text) => forwarded(true, "forwarded", `for="${text}`),
  "X-Forwarded-For": (text) => forwarded(false, "x-forwarded-for", text),
  "X-Scheme": (text) => forwarded(false, "x-scheme", text),
  extensions: (text) => negotiate(parseExtensions(text) ?? [], {}),
  "an extension": (text) => negotiate(parseExtensions(`permessage-deflate; a=${text}`) ?? [], {}),
  subprotocols: (text) => subprotocolsOf(request({ "sec-websocket-protocol": text })),
  "an opening handshake": (text) => refusalOf(request({ upgrade: text, connection: text })),
  "an origin": (text) => isSameOrigin(`http://${text}`, text),
  "a foreign origin": (text) => foreignOrigin(request({ origin: text }), () => false),
  "a target": (text) => pathStart(text) + authorityOf(`http://${text}`).length,
  "a host": (text) => new HostMatches("example.com").match(request({}, { host: text })),
  "a path": (text) => new Pattern("/a/:b").match(`/a/${text}`),
  escapes: (text) => [percentDecode(text, true), percentDecode(text, false)],
  "a file's path": (text) => [namesFolder(text), checkBelow("/srv", resolve("/srv", text))],
  "an address to go to": (text) => [siteOf(text), hasControl(text)],
  "a condition": (text) => precondition(new HTTPHeaders([["if-match", text]]), { etag: '"a"', modifiedMs: 0 }),
  HTML: (text) => [escapeHTML(text), xhtmlUnescape(text)],
  "a part of an address": (text) => [urlEscape(text), urlUnescape(text, null)],
  "white space": squeeze,
  "a request's first line": (text) => parseRequestStartLine(`GET ${text}`),
  "an answer's first line": (text) => parseResponseStartLine(`HTTP/1.1 200 ${text}`),
  "an address with arguments": (text) => [urlConcat(text, { a: text }), splitHostAndPort(text)],
  "If-None-Match": (text) => namesEtag(text, '"a"'),
  "If-Match": (text) => namesEtag(text, '"a"', "strong"),
  "If-Modified-Since": (text) => [parseHTTPDate(text), parseHTTPDate(`Mon, 01 Jun 2020 ${text}`)],
  Range: (text) => parseRange(`bytes=${text}`, 100),
  "a signed value": (text) => decodeSignedValue("secret", "a", `2|1:0|${text}`),
  signing: (text) => createSignedValue("secret", text, text),
  "a token": decodeXSRFToken,
  "a fetch request": (text) =>
    standardRequest(request({ a: text }, { target: `/${text}`, path: `/${text}` }), false).url,
  "a fetch request's host": (text) => standardRequest(request({}, { host: text }), false).url,
  "a line of the log": (text) =>
    textLine(
      { method: visible(text), target: visible(text), status: 1, bytes: 1, ms: 1, address: null, aborted: null },
      1,
      Buffer.alloc(8192),
      0,
    ),
  "an error's line": (text) => errorLine(new Error(text)),
  "a worker's output": (text) => new LineReader(() => {}).push(Buffer.from(text)),
};

test.each(Object.entries(FUNCTIONS))("%s", { timeout: 60_000 }, async (_name, run) => {
  for (const filler of FILLERS) await expectLinear(run, filler);
});
