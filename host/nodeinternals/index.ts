/** All internals of Node's that this package uses. */
import { answerHooks } from "./answerhooks.js";
import { boundHandles } from "./boundhandle.js";
import { closedFlag } from "./closedflag.js";
import { exposeGc } from "./collectgarbage.js";
import { headerLines } from "./headerlines.js";
import { heapGrowing } from "./heapgrowing.js";
import type { NodeInternal } from "./internal.js";
import { lazyDuplex } from "./lazyduplex.js";
import { moduleReports } from "./modulereports.js";
import { needDrain } from "./needdrain.js";
import { socketReads } from "./onread.js";
import { outHeaders } from "./outheaders.js";
import { readableState } from "./readablestate.js";
import { trailerText } from "./trailertext.js";
import { wasmTiers } from "./wasmtiers.js";

/** In the order of docs/node-internals.md. */
export const NODE_INTERNALS: readonly NodeInternal[] = [
  boundHandles,
  socketReads,
  answerHooks,
  outHeaders,
  needDrain,
  closedFlag,
  trailerText,
  headerLines,
  readableState,
  lazyDuplex,
  exposeGc,
  heapGrowing,
  wasmTiers,
  moduleReports,
];
