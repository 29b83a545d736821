// The files of deploy/: each is one that its own program takes. Where that is not installed, its test is left out. Dockerfiles are read by a
// linter, for building needs a daemon, and manifests are held to the schemas of Kubernetes. What images run is in test/e2e/containers.test.ts.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { validate } from "dockerfile-utils";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { STOP_GRACE_MS } from "../../host/core/limits.js";
import { instructionsOf } from "../e2e/support/dockerfiles.js";

import { blocks, documentNamed } from "./documents.js";

const UNITS = "deploy/systemd";

function isThere(program: string): boolean {
  return spawnSync(program, ["-v"]).error === undefined;
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "waterspout-deploy-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("the units are those of docs/deployment.md", () => {
  const documented = blocks.filter(({ language }) => language === "ini").map(({ name, text }) => [name, text.trim()]);
  const files = readdirSync(UNITS).map((name) => [name, readFileSync(path.join(UNITS, name), "utf8").trim()]);
  expect(Object.fromEntries(files)).toEqual(Object.fromEntries(documented));
});

test.runIf(isThere("systemd-analyze"))("systemd takes the units", () => {
  const made = folder();
  for (const name of readdirSync(UNITS)) {
    const text = readFileSync(path.join(UNITS, name), "utf8");
    // It also looks whether the programs are there, which are installed elsewhere.
    writeFileSync(path.join(made, name), text.replace(/^(Exec\w+=)\S+/gm, `$1${process.execPath}`));
  }
  const files = readdirSync(made).map((name) => path.join(made, name));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], { encoding: "utf8" });
  // It reads the machine's own units, too; what it says of those is not ours.
  expect(stderr.split("\n").filter((line) => line.includes("waterspout"))).toEqual([]);
  expect(status).toBe(0);
});

test.runIf(isThere("haproxy"))("HAProxy takes its configuration", () => {
  execFileSync("haproxy", ["-c", "-q", "-f", "deploy/haproxy.cfg"], { stdio: "pipe" });
});

test.runIf(isThere("nginx"))("nginx takes its configuration", () => {
  const made = folder();
  mkdirSync(path.join(made, "logs"));
  copyFileSync("deploy/nginx.conf", path.join(made, "nginx.conf"));
  const { status, stderr } = spawnSync("nginx", ["-t", "-q", "-p", made, "-c", "nginx.conf", "-e", "stderr"], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

describe.each(["Dockerfile", "bare.Dockerfile"])("%s", (name) => {
  const file = `deploy/container/${name}`;
  const instructions = instructionsOf(file);
  const last = instructions.slice(instructions.findLastIndex(({ keyword }) => keyword === "FROM"));
  const lastOf = (keyword: string): string | undefined => last.find((found) => found.keyword === keyword)?.value;

  test("is one that Docker would read", () => {
    expect(validate(readFileSync(file, "utf8")).map(({ message }) => message)).toEqual([]);
  });

  test("what runs is not root, and no shell stands between it and SIGTERM", () => {
    expect(lastOf("USER")).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    const words = ["ENTRYPOINT", "CMD"].flatMap((keyword) => JSON.parse(lastOf(keyword) ?? "[]") as string[]);
    expect(words.length).toBeGreaterThan(0);
    expect(words).not.toContain("sh");
  });

  test("each base has a tag, and there is no place for a secret", () => {
    for (const { value } of instructions.filter(({ keyword }) => keyword === "FROM"))
      expect(value).toMatch(/^[\w./-]+:(?!latest)[\w.-]+( AS \w+)?$/);
    expect(instructions.map(({ keyword }) => keyword)).not.toContain("ARG");
    const variables = instructions.filter(({ keyword }) => keyword === "ENV").map(({ value }) => value);
    expect(variables).toEqual(name === "Dockerfile" ? ["NODE_ENV=production"] : []);
  });
});

test("an image gets the files that are named, and no others", () => {
  const lines = readFileSync("deploy/container/Dockerfile.dockerignore", "utf8").trim().split("\n");
  const [first, ...others] = lines.filter((line) => !line.startsWith("#"));
  expect(first).toBe("*");
  for (const other of others) expect(other).toMatch(/^!/);
});

/** A manifest, as far as it is looked at. */
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  // biome-ignore lint/suspicious/noExplicitAny: the schema says what it is
  spec: any;
}

describe.each(["node.yaml", "bare.yaml"])("%s", (name) => {
  const documents = parseAllDocuments(readFileSync(`deploy/kubernetes/${name}`, "utf8"));
  const manifests = documents.map((document): Manifest => document.toJS());
  const named = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);
  const pods = named("Deployment").map(({ spec }) => spec.template);

  test("Kubernetes' schemas take each, without an unknown field", { timeout: 60_000 }, () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    const wheel = ["kubernetes-validate", "v1.37.0-local-strict/_definitions.json"];
    const folder = execFileSync("scripts/install-wheel.sh", wheel, { encoding: "utf8" }).trim();
    const schemas = path.join(folder, "kubernetes_validate/kubernetes-json-schema", wheel[1]);
    ajv.addSchema(JSON.parse(readFileSync(schemas, "utf8")), "kubernetes");
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    for (const manifest of manifests) {
      const [version, group = "core"] = manifest.apiVersion.split("/").reverse();
      const check = ajv.getSchema(`kubernetes#/$defs/io.k8s.api.${group.split(".")[0]}.${version}.${manifest.kind}`)!;
      check(manifest);
      expect(check.errors ?? []).toEqual([]);
    }
  });

  test("what selects pods finds those of a deployment here", () => {
    const labels = pods.map(({ metadata }) => metadata.labels.app);
    for (const { spec } of named("Deployment"))
      expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
    for (const { spec } of named("Service")) expect(labels).toContain(spec.selector.app);
    for (const { spec } of named("PodDisruptionBudget")) expect(labels).toContain(spec.selector.matchLabels.app);
    for (const { spec } of named("HorizontalPodAutoscaler"))
      expect(named("Deployment").map(({ metadata }) => metadata.name)).toContain(spec.scaleTargetRef.name);
  });

  test("a probe asks a port that its container has", () => {
    for (const { containers } of pods.map(({ spec }) => spec))
      for (const { ports, readinessProbe, livenessProbe, startupProbe = livenessProbe } of containers)
        for (const { httpGet, tcpSocket } of [readinessProbe, livenessProbe, startupProbe])
          expect(ports.map((port: { name: string }) => port.name)).toContain((httpGet ?? tcpSocket).port);
  });
});

test("node.yaml: a pod has time to drain, and asks for what the admin server has", () => {
  const manifests = parseAllDocuments(readFileSync("deploy/kubernetes/node.yaml", "utf8")).map((found) => found.toJS());
  const [{ spec }] = manifests.filter(({ kind }) => kind === "Deployment").map((found) => found.spec.template);
  const [{ lifecycle, readinessProbe, livenessProbe }] = spec.containers;
  const drainSeconds = lifecycle.preStop.sleep.seconds + STOP_GRACE_MS / 1000;
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds);
  const { prose } = documentNamed("docs/observability.md");
  for (const probe of [readinessProbe, livenessProbe]) expect(prose).toContain(`| \`${probe.httpGet.path}\` |`);
  const { metrics } = manifests.find(({ kind }) => kind === "HorizontalPodAutoscaler").spec;
  for (const { pods } of metrics.filter(({ type }: { type: string }) => type === "Pods"))
    expect(prose).toContain(`| \`${pods.metric.name}\` | gauge |`);
});
