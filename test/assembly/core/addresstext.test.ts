import { expect, test } from "vitest-pool-assemblyscript/assembly";
import { Address } from "../../../assembly/core/address";
import { parseHost } from "../../../assembly/core/addresstext";

const address: Address = new Address();

/** The address as it is written, "": it is none. */
function parsed(text: string): string {
  const bytes = String.UTF8.encode(text);
  return parseHost(changetype<usize>(bytes), bytes.byteLength, address) ? address.host : "";
}

test("an IPv4 address, whole", () => {
  expect(parsed("127.0.0.1")).toBe("127.0.0.1");
  expect(parsed("255.255.255.255")).toBe("255.255.255.255");
  const wrong = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4:80",
    "localhost",
  ];
  for (let i = 0; i < wrong.length; i++) expect(parsed(wrong[i])).toBe("");
});

test("an IPv6 address, whole", () => {
  expect(parsed("::")).toBe("::");
  expect(parsed("::1")).toBe("::1");
  expect(parsed("2001:DB8:0:0:0:0:0:1")).toBe("2001:db8::1");
  const wrong = [":", "1::2::3", "[::1]", "::1%lo", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::g", "12345::", "::1 "];
  for (let i = 0; i < wrong.length; i++) expect(parsed(wrong[i])).toBe("");
});
