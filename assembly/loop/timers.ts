// Timeouts in a binary heap: O(log n) to add and to remove, O(1) to see the next. Equal deadlines fire in the order
// added. Invariant: heap[i].place == i; a Timeout that is not armed has place -1.

/** Something to run once at a time. Subclass it; add it with IOLoop.callLater or callAt. */
export abstract class Timeout {
  /** Monotonic nanoseconds. */
  deadline: i64 = 0;
  /** Where it stands in the heap, -1: not armed. */
  place: i32 = -1;
  /** When it was added, as a count: of equal deadlines the smaller one is first. */
  order: u64 = 0;

  /** What is to be done at the deadline. It may be armed again. */
  abstract run(): void;

  /** It has been added, and has neither run nor been removed. */
  get armed(): bool {
    return this.place >= 0;
  }
}

const FIRST_ROOM: i32 = 64;


@final
export class Timers {
  private heap: StaticArray<Timeout | null> = new StaticArray<Timeout | null>(FIRST_ROOM);
  private added: u64 = 0;
  size: i32 = 0;

  /** Deadline of the next timeout, i64.MAX_VALUE: there is none. */
  get next(): i64 {
    return this.size ? this.at(0).deadline : i64.MAX_VALUE;
  }

  /** Arms `timeout`; one that is armed moves to its new deadline. */
  add(timeout: Timeout, deadline: i64): void {
    this.remove(timeout);
    if (this.size == this.heap.length) this.grow();
    timeout.deadline = deadline;
    timeout.order = this.added++;
    this.up(timeout, this.size++);
  }

  remove(timeout: Timeout): void {
    const place = timeout.place;
    if (place < 0) return;
    timeout.place = -1;
    const last = this.at(--this.size);
    unchecked((this.heap[this.size] = null));
    if (last === timeout) return;
    if (place > 0 && before(last, this.at((place - 1) >> 1))) this.up(last, place);
    else this.down(last, place);
  }

  /** Marks this moment for due(): what is added later is for the next turn. */
  get mark(): u64 {
    return this.added;
  }

  /** Moves every deadline by the same time. */
  shift(ns: i64): void {
    for (let i = 0; i < this.size; i++) this.at(i).deadline += ns;
  }

  /** Takes the next timeout when it is due and was added before `mark`. */
  due(now: i64, mark: u64): Timeout | null {
    if (!this.size || this.at(0).deadline > now || this.at(0).order >= mark) return null;
    const timeout = this.at(0);
    this.remove(timeout);
    return timeout;
  }


  @inline private at(place: i32): Timeout {
    return unchecked(this.heap[place])!;
  }


  @inline private put(timeout: Timeout, place: i32): void {
    unchecked((this.heap[place] = timeout));
    timeout.place = place;
  }

  private up(timeout: Timeout, place: i32): void {
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.at(parent);
      if (!before(timeout, above)) break;
      this.put(above, place);
      place = parent;
    }
    this.put(timeout, place);
  }

  private down(timeout: Timeout, place: i32): void {
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && before(this.at(child + 1), this.at(child))) child++;
      if (!before(this.at(child), timeout)) break;
      this.put(this.at(child), place);
      place = child;
    }
    this.put(timeout, place);
  }

  private grow(): void {
    const heap = new StaticArray<Timeout | null>(this.heap.length * 2);
    for (let i = 0; i < this.size; i++) unchecked((heap[i] = this.heap[i]));
    this.heap = heap;
  }
}

// @ts-ignore: decorator
@inline function before(a: Timeout, b: Timeout): bool {
  return a.deadline < b.deadline || (a.deadline == b.deadline && a.order < b.order);
}
