/**
 * Listening sockets that a service manager has opened for this process: systemd's socket activation.
 *
 * Invariants: they count only in the process that LISTEN_PID names; each is handed out once; what is no socket of TCP
 * is left alone.
 * Reference: sd_listen_fds(3); systemd.socket(5), FileDescriptorName.
 */
import { type Address, familyOf } from "../core/address.js";
import { PASSED_SOCKETS_MAX } from "../core/limits.js";
import { openTCP } from "../nodeinternals/boundhandle.js";

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;

export interface PassedSocket {
  /** As the unit calls it; without a name of its own, the unit's. */
  readonly name: string;
  readonly address: Address;
  readonly fd: number;
}

/** Null: not read yet. */
let passed: readonly PassedSocket[] | null = null;

/** Those that were not handed out yet. */
export function passedSockets(): readonly PassedSocket[] {
  passed ??= readSockets(process.env);
  return passed;
}

/** Hands out those that listen on `port` of one of `addresses`. */
export function takePassed(port: number, addresses: readonly string[]): readonly PassedSocket[] {
  const all = passedSockets();
  const taken = all.filter(({ address }) => address.port === port && addresses.includes(address.address));
  passed = all.filter((socket) => !taken.includes(socket));
  return taken;
}

function readSockets({ LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = "" }: NodeJS.ProcessEnv): readonly PassedSocket[] {
  const count = Number(LISTEN_FDS);
  if (Number(LISTEN_PID) !== process.pid || !Number.isInteger(count)) return [];
  const names = LISTEN_FDNAMES.split(":");
  const sockets: PassedSocket[] = [];
  for (let index = 0; index < Math.min(count, PASSED_SOCKETS_MAX); index++) {
    const fd = FIRST_FD + index;
    const name = openTCP(fd);
    if (name === null) continue;
    const { address, port } = name;
    sockets.push({ name: names[index] ?? "", address: { address, port, family: familyOf(address) }, fd });
  }
  return sockets;
}
