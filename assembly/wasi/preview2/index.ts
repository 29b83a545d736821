// The platform over WASI 0.2: where it listens, and the bridge's channel. All else is the platform of preview1 over
// calls.ts. Reference: the contract in ../index.ts.

import { address, backlog, cannotListen, readSettings } from "../component/settings";
import { familyOf, numberAt } from "../component/socketaddress";
import { CONNECTION, LISTENER, descriptorAt, open } from "./descriptors";
import * as w from "./imports";
import { writeToStdout } from "./output";
import * as preview1 from "../preview1";
import { REASON_RESET } from "../../core/errors";

export { peer, socketOf } from "./calls";

const result: usize = memory.data(64, 8);

/** Listens where the settings say. Returns why that does not work, null: it listens. */
export function start(): string | null {
  w.getEnvironment(result);
  w.getArguments(result + 8);
  const problem = readSettings(result);
  if (problem) return problem;
  w.createSocket(familyOf(address), result);
  if (load<u8>(result)) return problemOf(load<u8>(result, 4));
  const socket = load<i32>(result, 4);
  w.setBacklog(socket, u64(backlog), result);
  bind(socket);
  if (load<u8>(result)) return problemOf(load<u8>(result, 1));
  do w.finishBind(socket, result);
  while (isUnderWay());
  if (load<u8>(result)) return problemOf(load<u8>(result, 1));
  w.startListen(socket, result);
  if (load<u8>(result)) return problemOf(load<u8>(result, 1));
  do w.finishListen(socket, result);
  while (isUnderWay());
  if (load<u8>(result)) return problemOf(load<u8>(result, 1));
  open(LISTENER, socket, 0, 0);
  return null;
}

export function openChannel(): i32 {
  const descriptor = descriptorAt(0);
  descriptor.kind = CONNECTION;
  descriptor.input = w.getStdin();
  return preview1.openChannel();
}

export function channelWrite(source: usize, size: i32): i32 {
  const n = writeToStdout(source, size);
  return n > 0 ? n : -REASON_RESET;
}

function isUnderWay(): bool {
  return load<u8>(result) != 0 && load<u8>(result, 1) == w.ERROR_WOULD_BLOCK;
}

function bind(socket: i32): void {
  w.startBind(
    socket,
    w.instanceNetwork(),
    familyOf(address),
    numberAt(address, 0),
    numberAt(address, 1),
    numberAt(address, 2),
    numberAt(address, 3),
    numberAt(address, 4),
    numberAt(address, 5),
    numberAt(address, 6),
    numberAt(address, 7),
    numberAt(address, 8),
    numberAt(address, 9),
    numberAt(address, 10),
    result,
  );
}

function problemOf(code: i32): string {
  const isAbsent = code == w.ERROR_ADDRESS_NOT_BINDABLE;
  return cannotListen(code == w.ERROR_ACCESS_DENIED, isAbsent, code == w.ERROR_ADDRESS_IN_USE);
}
