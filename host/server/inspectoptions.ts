/** Where a server shows itself: the option `inspect`, and `--inspect` of the command. */
import { OptionError } from "../core/errors.js";
import { taskId } from "../net/inheritedsockets.js";

/** The admin server: a port of its own, with a live page, metrics and health. */
export interface InspectOptions {
  /** Its port, 0 for a free one. Default 8889. */
  port?: number | undefined;
  /** The address that it listens on. Default 127.0.0.1; whoever can connect may look. */
  address?: string | undefined;
}

export interface ResolvedInspect {
  readonly port: number;
  readonly address: string;
}

/** The port unless configured: next to the one that the command serves on. */
export const INSPECT_PORT = 8889;
const LOOPBACK = "127.0.0.1";

/**
 * What `inspect` asks for, null for nothing. Throws OptionError. A process of `forkProcesses` takes the port of its own
 * number.
 */
export function resolveInspect(option: boolean | InspectOptions | undefined): ResolvedInspect | null {
  if (option === undefined || option === false) return null;
  if (option !== true && (typeof option !== "object" || option === null)) {
    throw new OptionError(`inspect must be true, false or { port, address }, not ${String(option)}`);
  }
  const { port = INSPECT_PORT, address = LOOPBACK } = option === true ? {} : option;
  const ownPort = port === 0 ? 0 : port + (taskId() ?? 0);
  if (!Number.isInteger(port) || port < 0 || ownPort > 65535) {
    throw new OptionError(`inspect.port must be a whole number from 0 to 65535, not ${String(port)}`);
  }
  if (typeof address !== "string") throw new OptionError(`inspect.address must be an address, not ${String(address)}`);
  return { port: ownPort, address };
}
