// The part of the JavaScript API of WebAssembly that this project uses. TypeScript declares it only together with a
// whole browser (lib "dom"), and with that a slip like `name` or `document` would compile in a server.
// Reference: https://webassembly.github.io/spec/js-api/

declare namespace WebAssembly {
  type Kind = "function" | "global" | "memory" | "table";
  type Imports = Record<string, Record<string, ((...values: never[]) => unknown) | Memory>>;
  type Source = ArrayBuffer | ArrayBufferView;

  class Module {
    constructor(bytes: Source);
    static imports(module: Module): { module: string; name: string; kind: Kind }[];
    static exports(module: Module): { name: string; kind: Kind }[];
  }

  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Record<string, unknown>;
  }

  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }

  class RuntimeError extends Error {}
  class CompileError extends Error {}
  class LinkError extends Error {}

  function compile(bytes: Source): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
