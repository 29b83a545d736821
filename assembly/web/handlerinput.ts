// The request as a RequestHandler reads it: header fields, arguments of query and form, groups of the path, the body.
//
// Invariant: the head is read in the connection's memory while it is there, and is copied once (keepHead) when the
// answer may come after that. When the answer is complete everything here is empty.

import { isText } from "../bytes/scan";
import { Buffer } from "../bytes/buffer";
import { headBytes, nameOffset, nameSize, pathOffset, pathSize, rowCount } from "../protocol/http/headstate";
import { targetOffset, targetSize, valueOffset, valueSize } from "../protocol/http/headstate";
import { HTTPServerRequest } from "../http/request";
import { Arguments, cleaned } from "./arguments";
import { latin1Text } from "../bytes/text";

const EMPTY: usize = memory.data(16, 8);

export abstract class HandlerInput {
  /** The connection's request: for what is not here. It is another one when the answer is complete. */
  request!: HTTPServerRequest;
  /** What the groups of the route's pattern hold, in their order. */
  pathArguments: string[] = [];
  pathNames: string[] = [];
  private headAt: usize = 0;
  private source: usize = 0;
  private kept: Buffer = new Buffer();
  private query: Arguments | null = null;
  private form: Arguments | null = null;

  /** Answers with an error: see RequestHandler. */
  abstract sendError(status: i32): void;
  abstract get finished(): bool;

  // --- arguments ---

  /** What a group of the route's pattern holds, "": it has no such group. */
  pathArgument(name: string): string {
    const index = this.pathNames.indexOf(name);
    return index < 0 ? "" : this.pathArguments[index];
  }

  /**
   * The last value of an argument, from the form if it is there, else from the query. Without it `preset`; without that
   * the request is answered with 400, this returns "", and what else the method writes is dropped.
   */
  getArgument(name: string, preset: string | null = null): string {
    const value = this.formArguments().last(name);
    return this.one(value === null ? this.queryArguments().last(name) : value, preset);
  }

  /** As getArgument, from the query alone. */
  getQueryArgument(name: string, preset: string | null = null): string {
    return this.one(this.queryArguments().last(name), preset);
  }

  /** As getArgument, from the form in the body alone. */
  getBodyArgument(name: string, preset: string | null = null): string {
    return this.one(this.formArguments().last(name), preset);
  }

  /** All values of an argument: those of the query, then those of the form. */
  getArguments(name: string): string[] {
    const found = new Array<string>();
    this.queryArguments().all(name, found);
    this.formArguments().all(name, found);
    for (let i = 0; i < found.length; i++) found[i] = cleaned(found[i]);
    return found;
  }

  private one(value: string | null, preset: string | null): string {
    if (value !== null) return cleaned(value);
    if (preset !== null && !this.finished) return preset;
    this.sendError(400);
    return "";
  }

  private queryArguments(): Arguments {
    let found = this.query;
    if (!found) {
      const end = targetOffset(this.headState) + targetSize(this.headState);
      const start = min(end, pathOffset(this.headState) + pathSize(this.headState) + 1);
      found = this.query = new Arguments(this.source + usize(start), end - start);
      if (found.bad) this.sendError(400);
    }
    return found;
  }

  private formArguments(): Arguments {
    let found = this.form;
    if (!found) {
      found = this.form = new Arguments(this.body, this.isForm ? this.bodySize : 0);
      if (found.bad) this.sendError(400);
    }
    return found;
  }

  private get isForm(): bool {
    const type = this.getRequestHeader("content-type", "");
    const end = type.indexOf(";");
    return (end < 0 ? type : type.substring(0, end)).trim().toLowerCase() == "application/x-www-form-urlencoded";
  }

  // --- the rest ---

  /** The whole body: `bodySize` bytes, valid until the answer is complete. */
  get body(): usize {
    return this.finished ? EMPTY : this.request.body.source;
  }
  get bodySize(): i32 {
    return this.finished ? 0 : this.request.body.size;
  }

  /** The path as it came. */
  get path(): string {
    return latin1Text(this.source + usize(pathOffset(this.headState)), pathSize(this.headState));
  }

  /** The field with this name in lower case, as latin-1; several are joined by `, `. Without one `preset`. */
  getRequestHeader(name: string, preset: string): string {
    let value = "";
    let isThere = false;
    const head = this.headState;
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
  hasRequestHeader(name: string): bool {
    const head = this.headState;
    for (let row = 0; row < rowCount(head); row++) {
      const at = this.source + usize(nameOffset(head, row));
      if (isText(at, usize(nameSize(head, row)), changetype<usize>(name))) return true;
    }
    return false;
  }

  // --- for the application ---

  protected readHead(): void {
    this.headAt = this.request.head;
    this.source = this.request.source;
  }

  /** Copies the head. False: there is no memory. */
  protected keepHead(): bool {
    const head = this.headAt;
    if (!head || this.kept.size) return true;
    const state = i32((headBytes(rowCount(head)) + 7) & ~7);
    const size = i32(this.request.ahead - this.source);
    if (!this.kept.append(head, state) || !this.kept.append(this.source, size)) return false;
    this.headAt = this.kept.source;
    this.source = this.kept.source + usize(state);
    return true;
  }

  protected dropHead(): void {
    this.kept.clear();
    this.headAt = this.source = 0;
  }

  private get headState(): usize {
    return this.headAt ? this.headAt : NO_HEAD;
  }
}

/** The state of a head without anything. */
const NO_HEAD: usize = memory.data(128, 8);
