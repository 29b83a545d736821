/**
 * An OCI image layout with one image, the application: what `oras cp --from-oci-layout` and `skopeo copy oci:…` push to
 * a registry, and what runtimes pull from there.
 * Reference: the OCI image specification 1.1, image-layout.md, manifest.md; CNCF TAG Runtime, Wasm OCI Artifact layout.
 */
import { type Built, type Files, sha256, textOf } from "./built.js";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const CONFIG_TYPE = "application/vnd.wasm.config.v0+json";
const LAYER_TYPE = "application/wasm";

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** The layout's files, by their paths in it. `created` is a time as RFC 3339 has it. */
export function ociLayout({ bytes, wit, ...about }: Built, created: string): Files {
  const files: Files = new Map<string, Uint8Array | string>([["oci-layout", textOf({ imageLayoutVersion: "1.0.0" })]]);
  const blob = (mediaType: string, content: Uint8Array | string): Descriptor => {
    const hash = sha256(content);
    files.set(`blobs/sha256/${hash}`, content);
    return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(content) };
  };
  const layer = blob(LAYER_TYPE, bytes);
  const config = {
    created,
    architecture: "wasm",
    os: wit === null ? "wasip1" : "wasip2", // the specification has no other name for a component
    layerDigests: [layer.digest],
    ...(wit === null ? {} : { component: { exports: wit.exports, imports: wit.imports } }),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: blob(CONFIG_TYPE, textOf(config)),
    layers: [layer],
    annotations: annotationsOf(about, created),
  };
  const image = {
    ...blob(MANIFEST_TYPE, textOf(manifest)),
    annotations: { "org.opencontainers.image.ref.name": about.version ?? "latest" },
  };
  files.set("index.json", textOf({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [image] }));
  return files;
}

function annotationsOf(about: Pick<Built, "name" | "version" | "license">, created: string): Record<string, string> {
  return {
    "org.opencontainers.image.title": about.name,
    "org.opencontainers.image.created": created,
    ...(about.version === null ? {} : { "org.opencontainers.image.version": about.version }),
    ...(about.license === null ? {} : { "org.opencontainers.image.licenses": about.license }),
  };
}
