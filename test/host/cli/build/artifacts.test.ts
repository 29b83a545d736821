// What `build --artifacts` writes: every digest is that of a file, every field is where its specification has it.
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { writeArtifacts } from "../../../../host/cli/build/artifacts.js";
import type { Built } from "../../../../host/cli/build/built.js";
import { licenseOf } from "../../../../host/cli/build/sbom.js";

const WIT = { text: "package root:component;\n", exports: ["wasi:cli/run@0.2.0"], imports: ["wasi:io/poll@0.2.0"] };
const MODULE: Built = {
  name: "shop",
  version: "1.2.3",
  license: "MIT",
  file: "shop.wasm",
  bytes: Uint8Array.of(0, 0x61, 0x73, 0x6d),
  wit: null,
  parts: [
    { name: "@a/b", version: "2.0.0", license: "MIT OR Apache-2.0", sha512: "ab".repeat(64), isTool: false },
    { name: "maker", version: "3.0.0", license: null, sha512: null, isTool: true },
  ],
};
const COMPONENT: Built = { ...MODULE, version: null, license: null, file: "shop.component.wasm", wit: WIT };

const folders: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Writes the artifacts into a folder of their own; gives out their contents by path. */
function written(built: Built): Map<string, Buffer> {
  const folder = mkdtempSync(path.join(tmpdir(), "waterspout-artifacts-"));
  folders.push(folder);
  const paths = writeArtifacts(folder, built);
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(path.join(folder, name)).isFile(),
  );
  expect(paths.map((each) => path.relative(folder, each))).toEqual(found.sort());
  return new Map(found.map((name) => [name, readFileSync(path.join(folder, name))]));
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const json = (files: Map<string, Buffer>, name: string): unknown => JSON.parse(String(files.get(name)));

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** The blob that a descriptor names, with the digest and the size that it says. */
function blob(files: Map<string, Buffer>, { digest, size }: Descriptor): Buffer {
  const bytes = files.get(`oci/blobs/${digest.replace(":", "/")}`) as Buffer;
  expect([`sha256:${sha256(bytes)}`, bytes.length]).toEqual([digest, size]);
  return bytes;
}

test.each([
  ["module", MODULE, "1.2.3", { os: "wasip1" }],
  ["component", COMPONENT, "latest", { os: "wasip2", component: { exports: WIT.exports, imports: WIT.imports } }],
])("the image layout of a %s", (_name, built, tag, about) => {
  const files = written(built);
  expect(json(files, "oci/oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
  const index = json(files, "oci/index.json") as { manifests: [Descriptor] };
  expect(index).toMatchObject({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        annotations: { "org.opencontainers.image.ref.name": tag },
      },
    ],
  });
  const manifest = JSON.parse(String(blob(files, index.manifests[0]))) as { config: Descriptor; layers: [Descriptor] };
  expect(manifest).toMatchObject({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.wasm.config.v0+json" },
    layers: [{ mediaType: "application/wasm" }],
    annotations: { "org.opencontainers.image.title": "shop" },
  });
  expect(blob(files, manifest.layers[0])).toEqual(Buffer.from(built.bytes));
  expect(JSON.parse(String(blob(files, manifest.config)))).toEqual({
    created: "1970-01-01T00:00:00Z",
    architecture: "wasm",
    layerDigests: [manifest.layers[0].digest],
    ...about,
  });
  expect([...files.keys()].filter((name) => name.startsWith("oci/blobs/"))).toHaveLength(3);
});

test("the list of parts says what is inside, and what has made it", () => {
  const bom = json(written(MODULE), "shop.cdx.json") as { serialNumber: string };
  expect(bom.serialNumber).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  expect(bom).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: "1970-01-01T00:00:00Z",
      tools: { components: [{ type: "application", name: "maker", version: "3.0.0", purl: "pkg:npm/maker@3.0.0" }] },
      component: {
        type: "application",
        "bom-ref": "shop",
        name: "shop",
        version: "1.2.3",
        hashes: [{ alg: "SHA-256", content: sha256(Buffer.from(MODULE.bytes)) }],
        licenses: [{ expression: "MIT" }],
      },
    },
    components: [
      {
        type: "library",
        "bom-ref": "pkg:npm/%40a/b@2.0.0",
        name: "@a/b",
        hashes: [{ alg: "SHA-512", content: "ab".repeat(64) }],
        licenses: [{ expression: "MIT OR Apache-2.0" }],
      },
    ],
    dependencies: [{ ref: "shop", dependsOn: ["pkg:npm/%40a/b@2.0.0"] }, { ref: "pkg:npm/%40a/b@2.0.0" }],
  });
});

test("a checksum for every other file; the same twice; another time is another image", () => {
  const files = written(COMPONENT);
  expect([...files.keys()]).toContain("shop.component.wit");
  const sums = [...files].filter(([name]) => name !== "SHA256SUMS");
  expect(String(files.get("SHA256SUMS"))).toBe(sums.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join(""));
  expect(written(COMPONENT)).toEqual(files);
  vi.stubEnv("SOURCE_DATE_EPOCH", "1700000000");
  const later = written(COMPONENT);
  expect(json(later, "shop.component.cdx.json")).toMatchObject({ metadata: { timestamp: "2023-11-14T22:13:20Z" } });
  expect(later.get("oci/index.json")).not.toEqual(files.get("oci/index.json"));
  vi.stubEnv("SOURCE_DATE_EPOCH", "yesterday");
  expect(() => written(COMPONENT)).toThrow("SOURCE_DATE_EPOCH must be a number of seconds, not yesterday");
});

test.each([
  ["(MIT OR Apache-2.0)", "MIT OR Apache-2.0"],
  ["(MIT OR Apache-2.0) AND (ISC)", "(MIT OR Apache-2.0) AND (ISC)"],
  ["UNLICENSED", null],
  ["SEE LICENSE IN LICENSE.txt", null],
  [{ type: "MIT" }, null],
])("the licence %j of a package.json is %j", (given, expected) => {
  expect(licenseOf(given)).toBe(expected);
});
