import { describe, expect, test } from "vitest";

import { parseBodyArguments, parseMultipartFormData } from "../../../../host/index.js";

const part = (disposition: string, body = "Foo") =>
  `--1234\r\nContent-Disposition: ${disposition}\r\n\r\n${body}\r\n--1234--`;
const FILE = part('form-data; name="files"; filename="ab.txt"');

test("a body's fields and files, by name", async () => {
  const parts = [
    'name="a"\r\n\r\n1',
    "name=__proto__\r\n\r\nü",
    'name="a"\r\n\r\n',
    'name=f; filename="a\\"b.txt"\r\nContent-Type: image/png\r\n\r\n\r\n-',
  ];
  const body = `${parts.map((text) => `--b\r\nContent-Disposition: form-data; ${text}\r\n`).join("")}--b--\r\n`;
  for (const type of ["multipart/form-data; boundary=b", 'Multipart/Form-Data; boundary="b"']) {
    const form = await parseBodyArguments(type, body);
    expect([...form.arguments]).toEqual([
      ["a", ["1", ""]],
      ["__proto__", ["ü"]],
    ]);
    expect([...form.files]).toEqual([
      ["f", [{ filename: 'a"b.txt', contentType: "image/png", body: Buffer.from("\r\n-") }]],
    ]);
  }
  const urlencoded = await parseBodyArguments("application/x-www-form-urlencoded; charset=UTF-8", "a=1&b=+&a=%C3%BC");
  expect([...urlencoded.arguments]).toEqual([
    ["a", ["1", "ü"]],
    ["b", [" "]],
  ]);
  expect((await parseBodyArguments("text/plain", "a=1")).arguments.size).toBe(0);
});

describe("parts of bytes", () => {
  test.each([
    ['form-data; name="files"; filename="ab.txt"', "ab.txt"],
    ["form-data; name=files; filename=ab.txt", "ab.txt"],
    ['form-data; name="files"; filename="ab.txt"; filename*=UTF-8\'\'%C3%A1b.txt', "áb.txt"],
    ['form-data; name="files"; filename="a\\";\\";.txt"', 'a";";.txt'],
  ])("%s", async (disposition, filename) => {
    for (const boundary of ["1234", Buffer.from('"1234"')]) {
      const { files } = await parseMultipartFormData(boundary, Buffer.from(part(disposition)));
      expect(files.get("files")).toEqual([{ filename, contentType: "text/plain", body: Buffer.from("Foo") }]);
    }
  });

  test.each([
    ["--1234\r\n\r\nFoo\r\n--1234--"],
    [part('invalid; name="files"')],
    [part('form-data; filename="ab.txt"')],
    [FILE.replace("Foo\r\n", "Foo")],
    [FILE.slice(0, -2)],
    [""],
  ])("%j is no form", async (data) => {
    await expect(parseMultipartFormData("1234", data)).rejects.toMatchObject({ status: 400 });
  });
});

test("bounds, on both sides", async () => {
  const form = part('form-data; name="a"');
  const reading = (limits: object) => parseMultipartFormData("1234", form, limits);
  expect((await reading({ textBytesMax: 3, argumentsMax: 1, partsMax: 1 })).arguments.size).toBe(1);
  await expect(reading({ textBytesMax: 2 })).rejects.toMatchObject({ status: 413 });
  await expect(reading({ argumentsMax: 0 })).rejects.toMatchObject({ status: 400 });
  await expect(reading({ partsMax: 0 })).rejects.toMatchObject({ status: 400 });
  await expect(reading({ partsMax: -1 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  const urlencoded = (limits: object) => parseBodyArguments("application/x-www-form-urlencoded", "a=1", limits);
  expect((await urlencoded({ textBytesMax: 3, argumentsMax: 1 })).arguments.size).toBe(1);
  await expect(urlencoded({ textBytesMax: 2 })).rejects.toMatchObject({ status: 413 });
  await expect(urlencoded({ argumentsMax: 0 })).rejects.toMatchObject({ status: 400 });
});
