// The web layer over the scripted network and a scripted disk: routes, arguments, answers, files.
import { beforeEach, describe, expect, test } from "vitest-pool-assemblyscript/assembly";
import { bytesInUse } from "../../../assembly/bytes/buffer";
import { HTTPServer } from "../../../assembly/index";
import { ARGUMENTS_MAX, FILE_BLOCK_BYTES, FILE_BLOCKS_PER_TURN } from "../../../assembly/core/limits";
import { Arguments, cleaned } from "../../../assembly/web/arguments";
import { NO_DATE, httpDate, parseDate } from "../../../assembly/web/dates";
import { namesEtag } from "../../../assembly/web/etags";
import { IMPOSSIBLE, OUTSIDE, pathBelow } from "../../../assembly/web/filepath";
import { Application, RequestHandler, StaticFileHandler, escapeHTML, quoteJSON } from "../../../assembly/web/index";
import { typeOf } from "../../../assembly/web/mime";
import { Pattern } from "../../../assembly/web/pattern";
import { PART, UNSATISFIABLE, WHOLE, parseRange, rangeEnd, rangeStart } from "../../../assembly/web/ranges";
import { DIRECTORY, OTHER } from "../../../assembly/wasi/files/kinds";
import { SimFile, disk } from "../../../assembly/wasi/sim/files";
import { Peer, connect } from "../../../assembly/wasi/sim/net";
import { settle, sleep, turn } from "../support/sim";

let events: string = "";
let waiting: RequestHandler | null = null;

class User extends RequestHandler {
  setDefaultHeaders(): void {
    this.setHeader("X-All", "yes");
  }
  prepare(): void {
    if (this.getArgument("stop", "") == "1") this.sendError(403);
  }
  get(): void {
    this.write("user " + this.pathArgument("id") + " " + this.getArgument("q", "-"));
  }
  post(): void {
    this.setStatus(201);
    this.write("sum " + this.getArgument("a") + this.getBodyArgument("b") + " " + this.getArguments("a").join("|"));
  }
  onFinish(): void {
    events += "end " + this.getStatus().toString() + ";";
  }
}

/** Answers when the test says so. */
class Later extends RequestHandler {
  get(): void {
    this.autoFinish = false;
    waiting = this;
  }
  onConnectionClose(): void {
    events += "gone;";
  }
}

/** Two pieces, the first sent at once. */
class Pieces extends RequestHandler {
  get(): void {
    this.write("one ");
    this.flush();
    if (this.getArgument("fail", "") == "1") this.sendError(500);
    this.write("two");
  }
}

class Odd extends RequestHandler {
  get(): void {
    expect(this.setHeader("Content-Length", "7")).toBe(false);
    expect(this.setHeader("X-Bad", "a\r\nb")).toBe(false);
    expect(this.setHeader("a b", "c")).toBe(false);
    this.setHeader("Etag", '"mine"');
    this.redirect(this.reverseUrl("rest", ["a b/c"]) + "\u00e9", false, 303);
  }
}

class Dated extends RequestHandler {
  get(): void {
    this.setHeader("Last-Modified", "Mon, 01 Jun 2020 12:00:00 GMT");
    this.setHeader("Content-Location", "/here");
    this.write("page");
  }
}

class Files extends StaticFileHandler {
  constructor() {
    super("/static", "index.html");
  }
}

const application: Application = new Application();

function serve(): void {
  application.route<User>("/users/:id", "user");
  application.route<Later>("/later");
  application.route<Pieces>("/pieces");
  application.route<Odd>("/odd");
  application.route<Dated>("/dated");
  application.route<Files>("/static/*path", "rest");
  new HTTPServer(application).listen();
  settle();
}

function get(target: string): string {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

function ask(target: string, fields: string = "", method: string = "GET"): Peer {
  const peer = connect();
  peer.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
  return peer;
}

/** The answer's status and body. */
function answer(target: string, fields: string = "", method: string = "GET"): string {
  const peer = ask(target, fields, method);
  settle();
  const text = peer.take();
  return text.substring(9, 12) + " " + text.substring(text.indexOf("\r\n\r\n") + 4);
}

const FORM: string = "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n";

function post(target: string, body: string): string {
  return answer(target, FORM + "Content-Length: " + body.length.toString() + "\r\n\r\n" + body, "POST").replace(
    "\r\n",
    "",
  );
}

function matched(pattern: string, path: string): string {
  const found = new Array<i32>();
  const bytes = String.UTF8.encode(path);
  const compiled = new Pattern(pattern);
  if (!compiled.match(changetype<usize>(bytes), bytes.byteLength, found)) return "no";
  const values = compiled.values(changetype<usize>(bytes), found);
  return values === null ? "bad" : values.join("|");
}

describe("parts", () => {
  test("patterns", () => {
    expect(matched("/", "/")).toBe("");
    expect(matched("/a", "/a/")).toBe("no");
    expect(matched("/users/:id", "/users/7")).toBe("7");
    expect(matched("/users/:id", "/users/")).toBe("no");
    expect(matched("/users/:id", "/users/7/")).toBe("no");
    expect(matched("/:a/x/:b", "/1/x/%C3%A9")).toBe("1|é");
    expect(matched("/:a/x/:b", "/%2F/x/%zz")).toBe("/|%zz");
    expect(matched("/:a", "/%ff")).toBe("bad");
    expect(matched("/s/*", "/s/")).toBe("");
    expect(matched("/s/*", "/s/a/b")).toBe("a/b");
    expect(matched("/s/*", "/s")).toBe("no");
    expect(new Pattern("/u/:id/*rest").reverse(["a/b", "c/d e"])!).toBe("/u/a%2Fb/c/d%20e");
    expect(new Pattern("/u/:id").reverse([])).toBe(null);
  });
  test("paths of files", () => {
    expect(pathBelow("a//./b/../c")).toBe("a/c");
    expect(pathBelow("")).toBe("");
    expect(pathBelow("..")).toBe(OUTSIDE);
    expect(pathBelow("a/../../b")).toBe(OUTSIDE);
    expect(pathBelow("/etc/passwd")).toBe(OUTSIDE);
    expect(pathBelow("a\0b")).toBe(IMPOSSIBLE);
    expect(pathBelow("..\\a")).toBe(IMPOSSIBLE);
    expect(pathBelow("..a/...")).toBe("..a/...");
  });
  test("ranges", () => {
    expect(parseRange("bytes = 2-4 ", 10)).toBe(PART);
    expect(rangeStart).toBe(2);
    expect(rangeEnd).toBe(5);
    expect(parseRange("bytes=-20", 10)).toBe(WHOLE);
    expect(parseRange("bytes=10-", 10)).toBe(UNSATISFIABLE);
    expect(parseRange("bytes=-1", 0)).toBe(WHOLE);
    expect(parseRange("bytes=--1", 10)).toBe(WHOLE);
    expect(parseRange("lines=1-2", 10)).toBe(WHOLE);
    expect(parseRange("bytes=1-2,3-4", 10)).toBe(WHOLE);
    expect(parseRange("", 10)).toBe(WHOLE);
  });
  test("dates", () => {
    expect(parseDate("Thu, 01 Jan 1970 00:00:00 GMT")).toBe(0);
    expect(parseDate("Sunday, 06-Nov-94 08:49:37 GMT")).toBe(784_111_777);
    expect(parseDate("Sun Nov  6 08:49:37 1994")).toBe(784_111_777);
    for (let seconds: i64 = -62_135_596_800; seconds < 253_402_300_800; seconds += 86_400 * 37 + 3_661)
      expect(parseDate(httpDate(seconds))).toBe(seconds);
    expect(parseDate("Thu, 32 Jan 1970 00:00:00 GMT")).toBe(NO_DATE);
    expect(parseDate("Thu, 01 anF 1970 00:00:00 GMT")).toBe(NO_DATE);
    expect(parseDate("yesterday")).toBe(NO_DATE);
  });
  test("tags, types, texts", () => {
    expect(namesEtag('"a", W/"b,c"', '"b,c"')).toBe(true);
    expect(namesEtag('"a', '"a"')).toBe(false);
    expect(namesEtag("*", '"a"')).toBe(true);
    expect(namesEtag("*", "", true)).toBe(true);
    expect(namesEtag('"a"', "", true)).toBe(false);
    expect(namesEtag('W/"a", "a"', '"a"', true)).toBe(true);
    expect(namesEtag('W/"a"', '"a"', true)).toBe(false);
    expect(namesEtag('"a"', 'W/"a"', true)).toBe(false);
    expect(typeOf("a.b/c.HTML")).toBe("text/html");
    expect(typeOf("html")).toBe("application/octet-stream");
    expect(typeOf("a.x y")).toBe("application/octet-stream");
    expect(escapeHTML("<a href='x'>&\"")).toBe("&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;");
    expect(quoteJSON('a"\\\n</')).toBe('"a\\"\\\\\\u000a\\u003c/"');
    expect(cleaned(" a\0b\t ")).toBe("a b");
  });
  test("so many arguments, and no more", () => {
    const most = String.UTF8.encode("a=1&".repeat(ARGUMENTS_MAX));
    expect(new Arguments(changetype<usize>(most), most.byteLength).names.length).toBe(ARGUMENTS_MAX);
    const more = String.UTF8.encode("a=1&".repeat(ARGUMENTS_MAX + 1));
    expect(new Arguments(changetype<usize>(more), more.byteLength).bad).toBe(true);
  });
});

describe("handlers", () => {
  beforeEach(serve);

  test("a route's groups, arguments, and the end", () => {
    expect(answer("/users/7?q=x+y%21&q=last")).toBe("200 user 7 last");
    expect(answer("/users/7")).toBe("200 user 7 -");
    expect(answer("/users/7", "", "HEAD")).toBe("200 ");
    expect(answer("/users/7?stop=1").substring(0, 4)).toBe("403 ");
    expect(events).toBe("end 200;end 200;end 200;end 403;");
  });
  test("a form in the body", () => {
    expect(post("/users/7?a=q", "a=1&b=%202")).toBe("201 sum 12 q|1");
    expect(post("/users/7", "a=1").substring(0, 4)).toBe("400 ");
    expect(post("/users/7", "a=%ff&b=1").substring(0, 4)).toBe("400 ");
    expect(i32(bytesInUse())).toBe(0);
  });
  test("methods that there are not", () => {
    const peer = ask("/users/7", "Content-Length: 5\r\n", "PUT");
    settle();
    const text = peer.take();
    expect(text).toContain("405 Method Not Allowed");
    expect(text).toContain("Allow: GET, HEAD, POST\r\n");
    expect(text).toContain("X-All: yes");
    expect(answer("/users/7", "", "BREW").substring(0, 4)).toBe("405 ");
    expect(answer("/none").substring(0, 4)).toBe("404 ");
  });
  test("an answer that comes later still knows its request", () => {
    const peer = ask("/later?name=me");
    settle();
    expect(peer.take()).toBe("");
    waiting!.finish("hello " + waiting!.getArgument("name"));
    settle();
    expect(peer.take()).toContain("hello me");
    waiting!.finish("again");
    settle();
    expect(peer.take()).toBe("");
    expect(i32(bytesInUse())).toBe(0);
  });
  test("a client that leaves", () => {
    const peer = ask("/later");
    settle();
    peer.reset();
    waiting!.write("it has no reader");
    for (let i = 0; i < 5; i++) turn();
    waiting!.flush();
    settle();
    waiting!.finish("x");
    settle();
    expect(events).toBe("gone;");
    expect(i32(bytesInUse())).toBe(0);
  });
  test("pieces, and an error behind the first", () => {
    expect(answer("/pieces")).toContain("two");
    const peer = ask("/pieces?fail=1");
    settle();
    expect(peer.closed).toBe(true);
    expect(peer.take().includes("two")).toBe(false);
  });
  test("conditions of a page that says when it was changed", () => {
    expect(answer("/dated", "If-Modified-Since: Mon Jun  1 12:00:00 2020\r\n")).toBe("304 ");
    expect(answer("/dated", "If-Modified-Since: Mon, 01 Jun 2020 11:59:59 GMT\r\n")).toBe("200 page");
    expect(answer("/dated", "If-Unmodified-Since: Mon, 01 Jun 2020 11:59:59 GMT\r\n")).toBe("412 ");
    expect(answer("/dated", 'If-None-Match: "x"\r\nIf-None-Match: *\r\n')).toBe("200 page");
    const peer = ask("/dated", "If-None-Match: *\r\n");
    settle();
    const text = peer.take();
    expect(text).toContain("304 Not Modified");
    expect(text).toContain("Content-Location: /here\r\n");
    expect(text.includes("Content-Type")).toBe(false);
    expect(i32(bytesInUse())).toBe(0);
  });
  test("fields that must not be sent, and a redirect", () => {
    const peer = ask("/odd");
    settle();
    const text = peer.take();
    expect(text).toContain("303 See Other");
    expect(text).toContain("Location: /static/a%20b/c%C3%A9\r\n");
    expect(text.includes("X-Bad")).toBe(false);
  });
});

/** A file of that many bytes; put there before it is asked for. */
function put(path: string, size: i32): SimFile {
  return disk().put(path, "x".repeat(size));
}

describe("files", () => {
  beforeEach(serve);

  test("what is there, what is not, and what is none", () => {
    put("a.txt", 3);
    disk().put("sub", "", DIRECTORY);
    disk().put("sub/index.html", "index");
    disk().put("pipe", "", OTHER);
    expect(answer("/static/a.txt")).toBe("200 xxx");
    expect(answer("/static/sub/")).toBe("200 index");
    expect(answer("/static/sub").substring(0, 4)).toBe("301 ");
    expect(answer("/static/pipe").substring(0, 4)).toBe("403 ");
    expect(answer("/static/nope").substring(0, 4)).toBe("404 ");
    expect(answer("/static/leaving").substring(0, 4)).toBe("404 ");
    expect(answer("/static/x/leaving").substring(0, 4)).toBe("403 ");
    const asked = disk().asked.length;
    expect(answer("/static/%2e%2e/a.txt").substring(0, 4)).toBe("403 ");
    expect(answer("/static/a%00").substring(0, 4)).toBe("404 ");
    expect(disk().asked.length).toBe(asked);
    disk().full = true;
    expect(answer("/static/a.txt").substring(0, 4)).toBe("503 ");
    disk().name = "/other";
    expect(answer("/static/a.txt").substring(0, 4)).toBe("500 ");
    expect(disk().opened).toBe(0);
  });
  test("a file with a slash behind its name is none", () => {
    put("a.txt", 3);
    disk().put("sub", "", DIRECTORY);
    disk().put("sub/index.html", "index");
    expect(answer("/static/a.txt/").substring(0, 4)).toBe("404 ");
    expect(answer("/static/a.txt/.").substring(0, 4)).toBe("404 ");
    expect(answer("/static/sub/index.html/").substring(0, 4)).toBe("404 ");
    expect(answer("/static/x/leaving/").substring(0, 4)).toBe("403 ");
    expect(answer("/static/sub/../sub/").substring(0, 4)).toBe("200 ");
  });
  test("a file of before 1970", () => {
    put("old.txt", 3).modifiedNs = -302_443_199_500_000_000;
    const peer = ask("/static/old.txt");
    settle();
    expect(peer.take()).toContain("Last-Modified: Wed, 01 Jun 1960 12:00:00 GMT\r\n");
    expect(answer("/static/old.txt", "If-Modified-Since: yesterday\r\n")).toBe("200 xxx");
    expect(answer("/static/old.txt", "If-Modified-Since: Wed, 01 Jun 1960 12:00:00 GMT\r\n")).toBe("304 ");
    expect(answer("/static/old.txt", "If-Modified-Since: Wed, 01 Jun 1960 11:59:59 GMT\r\n")).toBe("200 xxx");
  });
  test("a slow client: no more is read than it takes", () => {
    const size = FILE_BLOCK_BYTES * 20;
    put("big", size);
    const peer = ask("/static/big");
    peer.room = 1000;
    settle();
    expect(disk().reads).toBe(1);
    expect(disk().opened).toBe(1);
    expect(i32(bytesInUse())).toBeLessThan(FILE_BLOCK_BYTES + 2048);
    peer.room = i32.MAX_VALUE;
    settle();
    expect(peer.received.length - peer.received.indexOf("\r\n\r\n") - 4).toBe(size);
    expect(disk().opened).toBe(0);
    expect(i32(bytesInUse())).toBe(0);
  });
  test("a fast client: so many blocks a turn", () => {
    put("big", FILE_BLOCK_BYTES * FILE_BLOCKS_PER_TURN * 4);
    ask("/static/big");
    while (!disk().reads) turn();
    expect(disk().reads).toBe(FILE_BLOCKS_PER_TURN * 2); // and once more behind all others of the turn
    settle();
    expect(disk().reads).toBe(FILE_BLOCKS_PER_TURN * 4);
  });
});

describe("requests beside files", () => {
  beforeEach(serve);

  test("a request behind a file has its own handler", () => {
    const size = FILE_BLOCK_BYTES * FILE_BLOCKS_PER_TURN * 2;
    put("big", size);
    const post = "POST /users/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + FORM + "\r\n";
    const peer = ask("/static/big");
    peer.send(post); // its body comes when the file has left
    settle();
    expect(peer.take().length).toBeGreaterThan(size);
    peer.send("b=1" + get("/static/big") + get("/static/big") + get("/later"));
    settle();
    const text = peer.take();
    expect(text).toContain("400 Bad Request"); // the handler wants `a` as well
    expect(text.length).toBeGreaterThan(2 * size);
    peer.reset();
    sleep(1000);
    expect(events).toBe("end 400;gone;");
    expect(peer.closed).toBe(true);
    expect(disk().opened).toBe(0);
    expect(i32(bytesInUse())).toBe(0);
  });
  test("a request behind an answer that came later has its own handler", () => {
    const peer = ask("/later");
    peer.send(get("/later"));
    settle();
    waiting!.finish("first");
    settle();
    expect(peer.take()).toContain("first");
    peer.reset();
    sleep(1000);
    expect(events).toBe("gone;");
  });
  test("a client that leaves, and a file that shrinks", () => {
    const file = put("big", FILE_BLOCK_BYTES * 8);
    const peer = ask("/static/big");
    peer.room = 1000;
    settle();
    expect(disk().opened).toBe(1);
    peer.reset();
    settle();
    expect(disk().opened).toBe(0);
    const other = ask("/static/big");
    other.room = 1000;
    settle();
    file.content = "x";
    other.room = i32.MAX_VALUE;
    settle();
    expect(other.closed).toBe(true);
    expect(disk().opened).toBe(0);
    expect(i32(bytesInUse())).toBe(0);
  });
});
