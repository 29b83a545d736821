// Memory for what the host hands over by value: lists and texts. The canonical ABI asks the component for it.
//
// Invariant: with land() the next list comes to a place that the caller has named, if it fits: bytes read from a peer
// are never allocated. All else comes from the heap and is given back with release().
// Reference: the component model's CanonicalABI.md, cabi_realloc.

let landing: usize = 0;
let landingSize: usize = 0;

/** The next list of up to `size` bytes comes to `target`. */
export function land(target: usize, size: usize): void {
  landing = target;
  landingSize = size;
}

export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (landing && !old && size <= landingSize) {
    const target = landing;
    landing = 0;
    return target;
  }
  if (!size) return align; // any address that is not 0
  const block = heap.alloc(size);
  if (old) {
    memory.copy(block, old, min(oldSize, size));
    release(old, oldSize);
  }
  return block;
}

/** Gives back a list or a text of `size` bytes that came to the heap. */
export function release(block: usize, size: usize): void {
  if (size) heap.free(block);
}
