// Address: where a peer is, an IP address and a port. WASI preview1 does not say; a PROXY protocol header does.
// Invariant: an IPv4 address is in the first 4 of the 16 bytes, the rest are 0. Text as in RFC 5952 (IPv6) and RFC 1123
// (IPv4).

/** An IP address and a port. */
@final
export class Address {
  /** 4 or 6. */
  family: i32 = 4;
  /** The port's number. */
  port: i32 = 0;
  /** The 16 bytes in network order, as two words of memory. */
  first: u64 = 0;
  /** The second of the two words: 0 for IPv4. */
  last: u64 = 0;

  /** Where the address bytes stand. */
  get bytes(): usize {
    return changetype<usize>(this) + offsetof<Address>("first");
  }

  /** Takes over family, port and address of `other`. */
  copyFrom(other: Address): void {
    this.family = other.family;
    this.port = other.port;
    this.first = other.first;
    this.last = other.last;
  }

  /** The address without the port. */
  get host(): string {
    return this.family == 4 ? this.dotted() : this.colons();
  }

  /** host:port, or [host]:port for IPv6. */
  toString(): string {
    return (this.family == 4 ? this.host : "[" + this.host + "]") + ":" + this.port.toString();
  }

  private dotted(): string {
    let text = load<u8>(this.bytes).toString();
    for (let i: usize = 1; i < 4; i++) text += "." + load<u8>(this.bytes + i).toString();
    return text;
  }

  private group(index: i32): i32 {
    return i32(bswap<u16>(load<u16>(this.bytes + (usize(index) << 1))));
  }

  /** Groups in lower case without leading zeros; the longest run of two or more zero groups becomes "::". */
  private colons(): string {
    let start = -1;
    let length = 1;
    for (let i = 0; i < 8; i++) {
      let end = i;
      while (end < 8 && this.group(end) == 0) end++;
      if (end - i > length) {
        start = i;
        length = end - i;
      }
    }
    let text = "";
    for (let i = 0; i < 8; i++) {
      if (i == start) {
        text += "::";
        i += length - 1;
      } else {
        if (i && i != start + length) text += ":";
        text += this.group(i).toString(16);
      }
    }
    return text;
  }
}
