// Finds ready handles with poll_oneoff, at a cost in proportion to the connections that are active, not to all.
//
// wasmtime's poll_oneoff reports every descriptor of the call as soon as one is ready, and costs about a microsecond
// for each: only a read event with more than one byte, a hang-up or an error is certain. So:
//
//   pinned   listeners and the control channel: in every poll. A listener is tried when nothing else was certain, and
//            once a millisecond, since accept4 costs as much as eight reads. The channel is read only when certain,
//            because reading it blocks. After a frame to the host, which mostly answers soon, the pinned ones are
//            polled alone for a moment: so a request costs one poll of the hot ones, not two.
//   hot      what was active in the last HOT_NS: polled.
//   cold     the others: swept in slices with a zero timeout, at intervals that keep sweeping below a sixteenth of the
//            time, a quarter while there is little else to do. When nothing at all was active for HOT_NS everything is
//            cold and one poll blocks on all of it.
//   probes   before polling at all, the hot connections that wait for input are read, the one that was answered longest
//            ago first, until MISSES_IN_ROW of them have nothing. A busy server hardly ever polls.
//
// Invariant: a handle is in the list of probes only while its read subscription is hot. The tables are in
// wasi/backoff.ts. Reference: crates/wasi-common/src/sync/sched/unix.rs of wasmtime 36.

import { HANDLES_MAX, LISTENERS_MAX } from "../core/limits";
import { POLLS, PROBES, PROBES_MISSED, count } from "../core/stats";
import { clock_time_get, poll_oneoff } from "./calls";
import { CLOCK_MONOTONIC, EVENT_BYTES, SUBSCRIPTION_BYTES, TAG_CLOCK } from "./imports";
import {
  BLOCKING,
  COLD,
  HELD,
  HOT,
  ORDINARY,
  OUT,
  PIN,
  PINNED,
  arrayOf,
  countOf,
  list,
  move,
  moveToCold,
  openSlot,
  probeHead,
  probeTail,
  put,
  releaseSlot,
  setCount,
  slotOf,
  take,
  setOf,
  unlist,
} from "./backoff";
import { FOREVER, READ, WRITE } from "./readiness";

/** A connection that was silent for this long is cold. */
const HOT_NS: i64 = 50_000_000;
/** Fewer than this many are cheaper to poll than to sort. */
const HOT_FLOOR: i32 = 64;
const SWEEP_MIN_NS: i64 = 1_000_000;
/**
 * After a sweep, this many times what it cost passes before the next: fewer when the time since the last was mostly
 * waiting.
 */
const SWEEP_REST: i64 = 15;
const SWEEP_REST_QUIET: i64 = 3;
/** How many are looked at in one sweep. */
const SWEEP_SLICE: i32 = 1024;
/** While there is other work: how often listeners are tried, and how often all hot ones are polled, all the same. */
const PINNED_EVERY_NS: i64 = 1_000_000;
const HOT_EVERY_NS: i64 = 20_000_000;
const MISSES_IN_ROW: i32 = 3;
/**
 * The host's answer is awaited alone for this long, when the hot ones are more than so many and were polled so
 * recently. After one that took longer, so many frames to the host are not followed by such a wait.
 */
const ANSWER_NS: i64 = 200_000;
const ANSWER_FLOOR: i32 = 8;
const ANSWER_AFTER_HOT_NS: i64 = 1_000_000;
const ANSWERS_LATE: i32 = 15;
/** Uncertain events tried after a poll in which something else was certain. */
const UNCERTAIN_PER_POLL: i32 = 4;
const DEMOTIONS_PER_POLL: i32 = 64;

const events: usize = memory.data(i32(EVENT_BYTES) * (HANDLES_MAX * 2 + LISTENERS_MAX + 2), 16);
const scratch: usize = memory.data(16, 8);
const kept: usize = memory.data(48, 8);

const CLOCK: u64 = u64.MAX_VALUE;

let time: i64 = 0;
let lastHit: i64 = 0;
let pinnedPolled: i64 = 0;
let hotPolled: i64 = 0;
let nextSweep: i64 = 0;
let swept: i64 = 0; // when the last sweep ended
let waited: i64 = 0; // in polls of the hot ones, since then
let hits: i32 = 0; // since the last wait
let listened: i64 = 0; // when listeners were last tried
let asked: bool = false; // the host was sent something since the last poll of the hot ones
let late: i32 = 0; // answers that are not awaited alone, still
let round: u32 = 0;
let demoteHand: i32 = 0;
let sweepHand: i32 = 0;
/** Only writers and the channel are watched. */
export let held: bool = false;
let watchedMore: bool = false; // since the last wait: its poll could not see that

// What next() hands out: events that are certain, then listeners, then uncertain events, then probes.
const DONE: i32 = 0;
const CERTAIN: i32 = 1;
const LISTENING: i32 = 2;
const UNCERTAIN: i32 = 3;
const PROBING: i32 = 4;
let phase: i32 = DONE;
let probesFollow: bool = false;
let eventCount: i32 = 0;
let cursor: i32 = 0;
let rotor: i32 = 0;
let uncertainLeft: i32 = 0;
let probe: i32 = -1;
let missesInRow: i32 = 0;
/** What the handle of the last next() is ready for. */
export let ready: i32 = 0;

function clock(): i64 {
  clock_time_get(CLOCK_MONOTONIC, 1, scratch);
  return load<i64>(scratch);
}

// --- handles ---

/** A handle for `fd`; the caller has asked hasRoom(). */
export function open(fd: u32, kind: u8): i32 {
  return openSlot(fd, kind, time);
}

export function release(handle: i32): void {
  watch(handle, 0);
  releaseSlot(handle);
}

export function descriptor(handle: i32): u32 {
  return slotOf(handle).fd;
}

export function watch(handle: i32, interest: i32): void {
  const home = slotOf(handle).kind == ORDINARY ? HOT : PIN;
  const reading = handle << 1;
  const writing = reading | 1;
  if (interest & READ) {
    if (setOf(reading) == OUT) {
      watchedMore = true;
      put(reading, home);
      if (home == HOT && slotOf(handle).misses < u8(MISSES_IN_ROW)) list(handle);
    }
  } else if (setOf(reading) != OUT) {
    unlist(handle);
    take(reading);
  }
  if (interest & WRITE) {
    if (setOf(writing) == OUT) {
      watchedMore = true;
      put(writing, home);
    }
  } else if (setOf(writing) != OUT) take(writing);
}

export function hold(yes: bool): void {
  held = yes;
}

/** `handle` has moved bytes (or met its end): it is hot, and the last in the list of probes. */
export function hit(handle: i32): void {
  hits++;
  lastHit = time;
  missesInRow = 0;
  const slot = slotOf(handle);
  slot.last = time;
  slot.misses = 0;
  const reading = handle << 1;
  if (setOf(reading) == COLD) move(reading, HOT);
  if (setOf(reading | 1) == COLD) move(reading | 1, HOT);
  if (setOf(reading) == HOT && handle != probeTail) {
    unlist(handle);
    list(handle);
  }
}

/** `handle` was read and had nothing. After a few of these in a row only a poll will find it. */
export function miss(handle: i32): void {
  missesInRow++;
  if (phase == PROBING) count(PROBES_MISSED);
  const slot = slotOf(handle);
  if (slot.misses < u8(MISSES_IN_ROW)) slot.misses++;
  else unlist(handle);
}

/** The host was sent something, which it mostly answers soon. */
export function ask(): void {
  asked = true;
}

// --- waiting ---

export function wait(timeoutNs: i64): void {
  time = clock();
  const busy = hits > 0;
  hits = 0;
  watchedMore = false;
  round++;
  eventCount = 0;
  cursor = 0;
  phase = CERTAIN;
  probesFollow = false;
  if (held) return pollHeld(timeoutNs);
  if (busy && probeHead >= 0 && time - hotPolled < HOT_EVERY_NS) {
    probesFollow = true;
    missesInRow = 0;
    probe = probeHead;
    if (time - pinnedPolled >= PINNED_EVERY_NS) poll(PIN, 0);
    return;
  }
  pollTiers(timeoutNs);
}

/** How long it may be left alone when no event comes. */
export function sleepNs(): i64 {
  // A round of probes has not asked for all of them: the next one polls.
  if (hits > 0 || probesFollow) return 0;
  if (held || !countOf(COLD) || time - lastHit > HOT_NS) return FOREVER;
  return max<i64>(0, nextSweep - time);
}

/** Connections of which something is in the hot set: that one counts once which is watched both ways. */
export function hotConnections(): i32 {
  let connections = 0;
  const end = arrayOf(HOT) + usize(countOf(HOT)) * SUBSCRIPTION_BYTES;
  for (let from = arrayOf(HOT); from < end; from += SUBSCRIPTION_BYTES) {
    const subscription = load<i32>(from);
    if (!(subscription & 1) || setOf(subscription ^ 1) != HOT) connections++;
  }
  return connections;
}

function pollTiers(timeoutNs: i64): void {
  const answerDue = asked;
  asked = false;
  if (countOf(HOT) > HOT_FLOOR) demote();
  if (countOf(COLD)) {
    if (time - lastHit > HOT_NS) {
      while (countOf(HOT)) moveToCold(load<i32>(arrayOf(HOT)));
      poll(COLD, timeoutNs);
      return;
    }
    if (time >= nextSweep) {
      sweep();
      const end = clock();
      const quiet = waited > (time - swept) >> 1;
      nextSweep = end + max<i64>((end - time) * (quiet ? SWEEP_REST_QUIET : SWEEP_REST), SWEEP_MIN_NS);
      waited = 0;
      swept = end;
      time = end;
      if (sawMoreThanTheClock()) return;
    }
    timeoutNs = min<i64>(timeoutNs, nextSweep - time);
  }
  if (answerDue && timeoutNs > ANSWER_NS && countOf(HOT) > ANSWER_FLOOR && time - hotPolled < ANSWER_AFTER_HOT_NS) {
    if (!late) {
      pollAndWait(PIN, ANSWER_NS);
      if (sawMoreThanTheClock()) return;
      late = ANSWERS_LATE + 1;
      if (timeoutNs != FOREVER) timeoutNs -= ANSWER_NS;
    }
    late--;
  }
  pollAndWait(HOT, timeoutNs);
  hotPolled = time;
}

/** A poll that waits: it ends later than it began. */
function pollAndWait(set: i32, timeoutNs: i64): void {
  const before = time;
  poll(set, timeoutNs);
  pinnedPolled = time = clock();
  waited += time - before;
}

function poll(set: i32, timeoutNs: i64): void {
  const pinned = countOf(PIN);
  let start = arrayOf(set);
  let subscriptions = countOf(set);
  if (set != PIN) {
    start -= usize(pinned) * SUBSCRIPTION_BYTES;
    memory.copy(start, arrayOf(PIN), usize(pinned) * SUBSCRIPTION_BYTES);
    subscriptions += pinned;
  }
  pollArray(start, subscriptions, timeoutNs);
  pinnedPolled = time;
}

/** Polls the next slice of the cold ones, without waiting. */
function sweep(): void {
  const cold = countOf(COLD);
  if (sweepHand >= cold) sweepHand = 0;
  const slice = min(SWEEP_SLICE, cold - sweepHand);
  const start = arrayOf(COLD) + usize(sweepHand) * SUBSCRIPTION_BYTES;
  sweepHand += slice;
  // The clock goes in front, where another subscription of the array stands.
  memory.copy(kept, start - SUBSCRIPTION_BYTES, SUBSCRIPTION_BYTES);
  pollArray(start, slice, 0);
  memory.copy(start - SUBSCRIPTION_BYTES, kept, SUBSCRIPTION_BYTES);
}

/** While the host is behind: only what can still be sent, and the channel that will bring its word. */
function pollHeld(timeoutNs: i64): void {
  setCount(HELD, 0);
  gather(PIN);
  gather(HOT);
  gather(COLD);
  pollArray(arrayOf(HELD), countOf(HELD), timeoutNs);
}

function gather(set: i32): void {
  const end = arrayOf(set) + usize(countOf(set)) * SUBSCRIPTION_BYTES;
  for (let from = arrayOf(set); from < end; from += SUBSCRIPTION_BYTES) {
    const subscription = load<i32>(from);
    if (!(subscription & 1) && slotOf(subscription >> 1).kind != BLOCKING) continue;
    memory.copy(arrayOf(HELD) + usize(countOf(HELD)) * SUBSCRIPTION_BYTES, from, SUBSCRIPTION_BYTES);
    setCount(HELD, countOf(HELD) + 1);
  }
}

function pollArray(start: usize, subscriptions: i32, timeoutNs: i64): void {
  if (timeoutNs != FOREVER) {
    start -= SUBSCRIPTION_BYTES;
    subscriptions++;
    store<u64>(start, CLOCK);
    store<u64>(start, TAG_CLOCK, 8);
    store<u64>(start, CLOCK_MONOTONIC, 16);
    store<i64>(start, max<i64>(timeoutNs, 0), 24);
    store<u64>(start, 0, 32);
    store<u64>(start, 0, 40);
  }
  if (!subscriptions) return;
  count(POLLS);
  if (poll_oneoff(start, events, subscriptions, scratch) == 0) eventCount = load<i32>(scratch);
}

function sawMoreThanTheClock(): bool {
  return eventCount > 1 || (eventCount == 1 && load<u64>(events) != CLOCK);
}

// --- what is ready ---

/** The next handle to try, -1: none is left. `ready` says for what. */
export function next(): i32 {
  if (phase == CERTAIN) {
    const handle = nextEvent();
    if (handle >= 0) return handle;
    phase = LISTENING;
    cursor = hits && time - listened < PINNED_EVERY_NS ? eventCount : 0;
  }
  if (phase == LISTENING) {
    const handle = nextEvent();
    if (handle >= 0) return handle;
    phase = UNCERTAIN;
    cursor = 0;
    uncertainLeft = hits ? UNCERTAIN_PER_POLL : eventCount;
    rotor = eventCount ? (rotor + UNCERTAIN_PER_POLL) % eventCount : 0;
  }
  if (phase == UNCERTAIN) {
    const handle = uncertainLeft > 0 ? nextEvent() : -1;
    if (handle >= 0) {
      uncertainLeft--;
      return handle;
    }
    phase = probesFollow ? PROBING : DONE;
  }
  return phase == PROBING ? nextProbe() : -1;
}

/** The next event of this phase: those that are uncertain in turn. */
function nextEvent(): i32 {
  while (cursor < eventCount) {
    const index = phase == UNCERTAIN ? (cursor + rotor) % eventCount : cursor;
    cursor++;
    const event = events + usize(index) * EVENT_BYTES;
    if (load<u64>(event) == CLOCK) continue;
    const subscription = load<i32>(event);
    if (setOf(subscription) == OUT) continue; // closed or no longer watched since the poll
    const handle = subscription >> 1;
    const sure = load<u64>(event, 16) > 1 || load<u16>(event, 24) != 0 || load<u16>(event, 8) != 0;
    const kind = slotOf(handle).kind;
    if (kind == BLOCKING && !sure) continue;
    if ((kind == PINNED ? LISTENING : sure ? CERTAIN : UNCERTAIN) != phase) continue;
    if (kind == PINNED) listened = time;
    ready = subscription & 1 ? WRITE : READ;
    return handle;
  }
  return -1;
}

function nextProbe(): i32 {
  const handle = probe;
  if (handle < 0 || missesInRow >= MISSES_IN_ROW || !slotOf(handle).listed || slotOf(handle).round == round) {
    phase = DONE;
    return -1;
  }
  count(PROBES);
  slotOf(handle).round = round;
  probe = slotOf(handle).following;
  ready = READ;
  return handle;
}

/** Looks at a few of the hot ones and cools those that were silent. */
function demote(): void {
  for (let i = 0; i < DEMOTIONS_PER_POLL && countOf(HOT) > HOT_FLOOR; i++) {
    if (demoteHand >= countOf(HOT)) demoteHand = 0;
    const subscription = load<i32>(arrayOf(HOT) + usize(demoteHand) * SUBSCRIPTION_BYTES);
    if (time - slotOf(subscription >> 1).last > HOT_NS) moveToCold(subscription);
    else demoteHand++;
  }
}
