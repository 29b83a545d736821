import { readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  FORM_ARGUMENTS_MAX,
  FORM_PART_HEADER_BYTES_MAX,
  FORM_PARTS_MAX,
  FORM_TEXT_BYTES_MAX,
} from "../../../../host/core/limits.js";
import { HTTPServer } from "../../../../host/index.js";
import { collect, ID, serve } from "../../support/exchange.js";
import { requestFrame } from "../../support/fakeworker.js";
import { directory, END, field, file, MULTIPART, pairs, part, read, URLENCODED } from "../../support/forms.js";

describe("urlencoded", () => {
  test.each<[string, [string, string][]]>([
    ["a=1&b=2&a=3", [["a", "1"], ["b", "2"], ["a", "3"]]], // biome-ignore format: pairs
    ["a=b+c%20d&e=%2B%26%3D", [["a", "b c d"], ["e", "+&="]]], // biome-ignore format: pairs
    ["a", [["a", ""]]],
    ["a=", [["a", ""]]],
    ["=a", [["", "a"]]],
    ["a=b=c", [["a", "b=c"]]],
    ["&&a=1&", [["a", "1"]]],
    ["%61%3d=%C3%BC", [["a=", "ü"]]],
    ["a=ü", [["a", "ü"]]],
    ["a=%zz%4", [["a", "%zz%4"]]],
    ["a=%f0%9f%8c%8A", [["a", "\u{1f30a}"]]],
    ["a=%EF%BB%BF", [["a", "\ufeff"]]],
    ["", []],
  ])("%s", async (body, expected) => {
    expect(pairs(await read(URLENCODED, [body]))).toEqual(expected);
    expect(pairs(await read("Application/X-WWW-Form-Urlencoded; charset=UTF-8", [body]))).toEqual(expected);
  });

  test("is decoded as bytes: part of a character may be escaped", async () => {
    const body = Buffer.from("a=%c3\xbc&b=\xf0%9f\x8c%8a", "latin1");
    expect(pairs(await read(URLENCODED, [body]))).toEqual([["a", "ü"], ["b", "\u{1f30a}"]]); // biome-ignore format: pairs
  });

  test.each([["a=%ff"], ["a=%ed%a0%80"], ["%c3=1"], [Buffer.from("a=\xff", "latin1")]])(
    "%j is not UTF-8",
    async (body) => {
      expect(await read(URLENCODED, [body])).toMatchObject({ form: null, status: 400 });
    },
  );

  test("has so many arguments and so much text", async () => {
    const many = Array.from({ length: FORM_ARGUMENTS_MAX }, (_, i) => `a=${i}`).join("&");
    expect(pairs(await read(URLENCODED, [many])).length).toBe(FORM_ARGUMENTS_MAX);
    expect((await read(URLENCODED, [`${many}&b=1`])).status).toBe(400);
    expect((await read(URLENCODED, ["&".repeat(FORM_ARGUMENTS_MAX)])).status).toBe(400);
    expect((await read(URLENCODED, ["a=1&b=2"], { argumentsMax: 1 })).status).toBe(400);
    expect((await read(URLENCODED, ["a=1&b=2"], {}, { formLimits: { argumentsMax: 1 } })).status).toBe(400);
    const long = `a=${"x".repeat(FORM_TEXT_BYTES_MAX - 2)}`;
    expect((await read(URLENCODED, [long])).status).toBe(200);
    expect((await read(URLENCODED, [`${long}x`])).status).toBe(413);
  });
});

describe("multipart", () => {
  test("fields and files, in their order", async () => {
    const body = field("a", "1") + file("up", "x.txt", "contents\r\n--bx") + field("a", "zwei ü") + END;
    const strict = body.replace("--bx", "--c");
    const files: string[] = [];
    const result = await read(MULTIPART, [strict], {}, {}, (form) => {
      for (const { path, size } of form.files) {
        files.push(readFileSync(path, "utf8"));
        expect(statSync(path)).toMatchObject({ size });
        expect(statSync(path).mode & 0o777).toBe(0o600);
        expect(path.startsWith(directory)).toBe(true);
      }
    });
    expect(pairs(result)).toEqual([
      ["a", "1"],
      ["a", "zwei ü"],
    ]);
    expect(files).toEqual(["contents\r\n--c"]);
    expect(result.form?.files[0]).toMatchObject({ name: "up", filename: "x.txt", contentType: "text/x", size: 13 });
  });

  test("may be cut anywhere", async () => {
    const body = field("a", "1\r\n-\r\n--\r\n--a") + file("f", "g", "") + file("f", "g", "\r\n\r\n") + END;
    for (let at = 0; at <= body.length; at++) {
      const sizes: number[] = [];
      const result = await read(MULTIPART, [body.slice(0, at), body.slice(at)], {
        onFile: async (given) => {
          let size = 0;
          for await (const block of given) size += block.length;
          sizes.push(size);
        },
      });
      expect([...pairs(result), sizes], `cut at ${at}`).toEqual([
        ["a", "1\r\n-\r\n--\r\n--a"],
        [0, 4],
      ]);
    }
    const bytes = [...body];
    expect((await read(MULTIPART, bytes, { onFile: () => {} })).status).toBe(200);
  });

  test.each<[string, string, [string, string][]]>([
    ["no part", END, []],
    ["an end without its line end", `${field("a", "1")}--b--`, [["a", "1"]]],
    ["an empty line before it", `\r\n${field("a", "1")}${END}`, [["a", "1"]]],
    ["something behind it", `${field("a", "1")}${END}epilogue\r\n--b\r\n`, [["a", "1"]]],
    ["a quoted pair", part('content-disposition: FORM-DATA; NAME="a\\"b\\\\c\\d"', "1") + END, [['a"b\\c\\d', "1"]]],
    ["a name that is a token", part("Content-Disposition: form-data;name=a", "1") + END, [["a", "1"]]],
    ["an empty value", field("a", "") + END, [["a", ""]]],
    ["an empty name", field("", "1") + END, [["", "1"]]],
    [
      "other fields",
      part('X-Y: z\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain', "1") + END,
      [["a", "1"]],
    ],
    [
      "a file that was not chosen",
      part('Content-Disposition: form-data; name="a"; filename=""', "") + END,
      [["a", ""]],
    ],
    ["a name in UTF-8", field("ü", "1") + END, [["ü", "1"]]],
  ])("with %s", async (_name, body, expected) => {
    expect(pairs(await read(MULTIPART, [body]))).toEqual(expected);
  });

  test.each([
    ["x.txt", "x.txt"],
    ["C:\\\\dir\\\\x.txt", "x.txt"],
    ["C:\\dir\\x.txt", "x.txt"],
    ["../../etc/passwd", "passwd"],
    ["naïve.txt", "naïve.txt"],
  ])("a file called %s is %s", async (given, expected) => {
    const result = await read(MULTIPART, [file("f", given, "x") + END]);
    expect(result.form?.files[0].filename).toBe(expected);
  });

  test.each([
    ["UTF-8''na%C3%AFve.txt", "naïve.txt"],
    ["utf-8'en'a%2Fb", "b"],
  ])("a file called by filename*=%s is %s", async (given, expected) => {
    const head = `Content-Disposition: form-data; name=f; filename="other"; filename*=${given}`;
    expect((await read(MULTIPART, [part(head, "x") + END])).form?.files[0].filename).toBe(expected);
  });
});

describe("a malformed form", () => {
  test.each([
    ["nothing", ""],
    ["no end", field("a", "1")],
    ["a cut end", `${field("a", "1")}--b-`],
    ["a preamble", `preamble\r\n${field("a", "1")}${END}`],
    ["another boundary", field("a", "1").replaceAll("--b", "--c") + END],
    ["a boundary that goes on", `${field("a", "1")}--bc\r\n${END}`],
    ["two bytes in place of a line end", field("a", "1").replace("--b\r\n", "--bxx") + END],
    ["a space behind a boundary", `${field("a", "1")}--b \r\n${END}`],
    ["something behind the end", `${field("a", "1")}--b--x`],
    ["LF alone", `${field("a", "1")}${END}`.replaceAll("\r\n", "\n")],
    ["no header", `--b\r\n\r\n1\r\n${END}`],
    ["no name", part("Content-Disposition: form-data", "1") + END],
    ["two names", part("Content-Disposition: form-data; name=a; name=b", "1") + END],
    [
      "two dispositions",
      part("Content-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=b", "1") + END,
    ],
    ["another disposition", part("Content-Disposition: attachment; name=a", "1") + END],
    ["an unfinished quoted string", part('Content-Disposition: form-data; name="a', "1") + END],
    ["a folded header", part("Content-Disposition: form-data;\r\n name=a", "1") + END],
    ["a header without a colon", part("Content-Disposition: form-data; name=a\r\nX", "1") + END],
    ["a line end in a header", part("Content-Disposition: form-data; name=a\nX: y", "1") + END],
    ["NUL in a header", part("Content-Disposition: form-data; name=a\r\nX: \0", "1") + END],
    ["base64", part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "MQ==") + END],
    ["filename* in latin-1", part("Content-Disposition: form-data; name=a; filename*=iso-8859-1''x", "1") + END],
    ["a boundary inside a header", `--b\r\nContent-Disposition: form-data; name=a\r\n--b: x\r\n\r\n1\r\n${END}`],
  ])("%s is refused", async (_name, body) => {
    expect(await read(MULTIPART, [body])).toMatchObject({ form: null, status: 400 });
  });
});

describe("multipart, characters and boundaries", () => {
  test.each([Buffer.from(field("a", "\xff") + END, "latin1"), Buffer.from(field("\xff", "1") + END, "latin1")])(
    "text that is not UTF-8 is refused (%#)",
    async (body) => {
      expect(await read(MULTIPART, [body])).toMatchObject({ form: null, status: 400 });
    },
  );

  test.each([
    ["multipart/form-data", 400],
    ["multipart/form-data; boundary=", 415],
    ['multipart/form-data; boundary=""', 400],
    [`multipart/form-data; boundary=${"b".repeat(71)}`, 400],
    ['multipart/form-data; boundary="b "', 400],
    ["multipart/form-data; boundary=b; boundary=c", 415],
    ["multipart/mixed; boundary=b", 415],
    ["text/plain", 415],
    ["", 415],
  ])("the type %j is answered with %i", async (type, status) => {
    expect((await read(type, [field("a", "1") + END])).status).toBe(status);
  });

  test("a boundary may be quoted and long", async () => {
    const boundary = `${"b'()+_,-./:=?".repeat(5)} bbbb`;
    const body = (field("a", "1") + END).replaceAll("--b", `--${boundary}`);
    expect(pairs(await read(`multipart/form-data; boundary="${boundary}"`, [body]))).toEqual([["a", "1"]]);
  });
});

describe("bounds", () => {
  test("parts", async () => {
    const many = field("a", "1").repeat(FORM_PARTS_MAX);
    expect((await read(MULTIPART, [many + END])).status).toBe(200);
    expect((await read(MULTIPART, [many + field("a", "1") + END])).status).toBe(400);
    expect((await read(MULTIPART, [many + END], { partsMax: 99 })).status).toBe(400);
  });

  test("arguments", async () => {
    const body = field("a", "1") + file("f", "x", "y") + field("a", "1") + END;
    expect((await read(MULTIPART, [body], { argumentsMax: 2 })).status).toBe(200);
    expect((await read(MULTIPART, [body], { argumentsMax: 1 })).status).toBe(400);
  });

  test.each([1, 4096, 100_000])("header of a part, in pieces of %i", async (size) => {
    const body = (bytes: number): string[] => {
      const head = "Content-Disposition: form-data; name=a\r\nX: ";
      const whole = part(head + "x".repeat(bytes - head.length), "1") + END;
      return Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.slice(i * size, (i + 1) * size));
    };
    expect((await read(MULTIPART, body(FORM_PART_HEADER_BYTES_MAX))).status).toBe(200);
    expect((await read(MULTIPART, body(FORM_PART_HEADER_BYTES_MAX + 1))).status).toBe(400);
    expect((await read(MULTIPART, body(FORM_PART_HEADER_BYTES_MAX * 9))).status).toBe(400);
  });

  test("text, of all fields together", async () => {
    const body = (bytes: number): string => field("a", "x".repeat(bytes)) + field("b", "x".repeat(bytes)) + END;
    expect((await read(MULTIPART, [body(FORM_TEXT_BYTES_MAX / 2)])).status).toBe(200);
    expect((await read(MULTIPART, [body(FORM_TEXT_BYTES_MAX / 2 + 1)])).status).toBe(413);
    expect((await read(MULTIPART, [file("f", "x", "y".repeat(FORM_TEXT_BYTES_MAX * 2)) + END])).status).toBe(200);
  });

  test("that are none are refused", async () => {
    expect(() => new HTTPServer(() => {}, { formLimits: { partsMax: -1 } })).toThrow(/partsMax/);
    expect((await read(URLENCODED, ["a=1"], { argumentsMax: 1.5 })).message).toMatch(/argumentsMax/);
  });
});

test("a request without a body has an empty form; one with a coding has none", async () => {
  expect(pairs(await read(null, []))).toEqual([]);
  expect((await read(null, ["a=1"])).status).toBe(415);
  const worker = serve(async (request) => request.respond(200, {}, String((await request.readForm()).fields)), {
    decompressRequest: true,
  });
  const headers = (coding: string): [string, string][] => [
    ["content-type", URLENCODED],
    ["content-encoding", coding],
  ];
  const body = gzipSync("a=1&b=2").toString("latin1");
  worker.emit(requestFrame(ID, { method: 3, headers: headers("gzip"), body }));
  expect((await collect(worker)).body.toString()).toBe("a=1&b=2");
  worker.emit(requestFrame(ID + (1 << 18), { method: 3, headers: headers("br"), body }));
  expect((await collect(worker)).status).toBe(415);
});
