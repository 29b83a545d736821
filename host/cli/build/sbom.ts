/**
 * What a built application is made of, as CycloneDX 1.6 in JSON.
 * Invariant: it has no time and no number of its own but those that follow from the application's bytes.
 * Reference: cyclonedx.org/docs/1.6/json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { InstalledPackage } from "../packages.js";
import { type Built, type Part, sha256 } from "./built.js";

/** The package that was found, by what its folder and npm's list of installed packages say. */
export function partOf(name: string, { folder, version }: InstalledPackage, isTool = false): Part {
  const { license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { license?: unknown };
  return { name, version, license: licenseOf(license), sha512: checksumOf(name, folder), isTool };
}

/** As SPDX writes it, without brackets around all of it. */
export function licenseOf(value: unknown): string | null {
  if (typeof value !== "string" || value === "UNLICENSED" || value.startsWith("SEE LICENSE")) return null;
  return value.replace(/^\(([^()]*)\)$/, "$1");
}

/** npm writes down what it has checked a package against when it installed it. */
function checksumOf(name: string, folder: string): string | null {
  const modules = folder.slice(0, -name.length);
  try {
    const { packages } = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")) as {
      packages: Record<string, { integrity?: string }>;
    };
    const integrity = /^sha512-(\S+)$/.exec(packages[`node_modules/${name}`]?.integrity ?? "");
    return integrity === null ? null : Buffer.from(integrity[1] as string, "base64").toString("hex");
  } catch {
    return null; // installed by another program, or linked
  }
}

/** The document. `created` is a time as RFC 3339 has it. */
export function sbom({ name, version, license, bytes, parts }: Built, created: string): object {
  const hash = sha256(bytes);
  const tools = parts.filter(({ isTool }) => isTool);
  const within = parts.filter(({ isTool }) => !isTool);
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(hash)}`,
    version: 1,
    metadata: {
      timestamp: created,
      tools: { components: tools.map(componentOf) },
      component: {
        type: "application",
        "bom-ref": name,
        name,
        ...(version === null ? {} : { version }),
        hashes: [{ alg: "SHA-256", content: hash }],
        ...licensesOf(license),
      },
    },
    components: within.map(componentOf),
    dependencies: [{ ref: name, dependsOn: within.map(purlOf) }, ...within.map((part) => ({ ref: purlOf(part) }))],
  };
}

function componentOf(part: Part): object {
  const { name, version, license, sha512, isTool } = part;
  return {
    type: isTool ? "application" : "library",
    "bom-ref": purlOf(part),
    name,
    version,
    ...(sha512 === null ? {} : { hashes: [{ alg: "SHA-512", content: sha512 }] }),
    ...licensesOf(license),
    purl: purlOf(part),
  };
}

function licensesOf(license: string | null): object {
  return license === null ? {} : { licenses: [{ expression: license }] };
}

/** Reference: the package URL specification, type npm. */
function purlOf({ name, version }: Part): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** A UUID of version 8, whose digits are the owner's own. */
function uuidOf(hash: string): string {
  const digits = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
