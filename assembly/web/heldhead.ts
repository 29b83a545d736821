// The head of a RequestHandler's request.
//
// Invariant: it is read in the connection's memory while it is there, and is copied once (keep) when the answer may
// come after that. After drop() it is empty.

import { isText } from "../bytes/scan";
import { Buffer } from "../bytes/buffer";
import { headBytes, nameOffset, nameSize, pathOffset, pathSize, rowCount } from "../protocol/http/headstate";
import { targetOffset, targetSize, valueOffset, valueSize } from "../protocol/http/headstate";
import { HTTPServerRequest } from "../http/request";
import { Arguments } from "./arguments";
import { latin1Text } from "../bytes/text";

/** Where a RequestHandler reads the head of its request. */
// @ts-ignore: decorator
@final
export class HeldHead {
  private headAt: usize = 0;
  private source: usize = 0;
  private kept: Buffer = new Buffer();

  /** The path as it came; `/` when it is empty. */
  get path(): string {
    const size = pathSize(this.state);
    return size ? latin1Text(this.source + usize(pathOffset(this.state)), size) : "/";
  }

  /** The arguments of the query, parsed anew in each call. */
  query(): Arguments {
    const end = targetOffset(this.state) + targetSize(this.state);
    const start = min(end, pathOffset(this.state) + pathSize(this.state) + 1);
    return new Arguments(this.source + usize(start), end - start);
  }

  /** The field with this name in lower case, as latin-1; several are joined by `, `. Without one `preset`. */
  field(name: string, preset: string): string {
    let value = "";
    let isThere = false;
    const head = this.state;
    for (let row = 0; row < rowCount(head); row++) {
      const at = this.source + usize(nameOffset(head, row));
      if (!isText(at, usize(nameSize(head, row)), changetype<usize>(name))) continue;
      const text = latin1Text(this.source + usize(valueOffset(head, row)), valueSize(head, row));
      value = isThere ? value + ", " + text : text;
      isThere = true;
    }
    return isThere ? value : preset;
  }

  /** Whether the request has a field with this name in lower case. */
  hasField(name: string): bool {
    const head = this.state;
    for (let row = 0; row < rowCount(head); row++) {
      const at = this.source + usize(nameOffset(head, row));
      if (isText(at, usize(nameSize(head, row)), changetype<usize>(name))) return true;
    }
    return false;
  }

  /** The head of `request` from now on. */
  read(request: HTTPServerRequest): void {
    this.headAt = request.head;
    this.source = request.source;
  }

  /** Copies the head of `request`. False: there is no memory. */
  keep(request: HTTPServerRequest): bool {
    const head = this.headAt;
    if (!head || this.kept.size) return true;
    const state = i32((headBytes(rowCount(head)) + 7) & ~7);
    const size = i32(request.ahead - this.source);
    if (!this.kept.append(head, state) || !this.kept.append(this.source, size)) return false;
    this.headAt = this.kept.source;
    this.source = this.kept.source + usize(state);
    return true;
  }

  /** Gives the copy back; the head is empty from now on. */
  drop(): void {
    this.kept.clear();
    this.headAt = this.source = 0;
  }

  private get state(): usize {
    return this.headAt ? this.headAt : NO_HEAD;
  }
}

/** The state of a head without anything. */
const NO_HEAD: usize = memory.data(128, 8);
