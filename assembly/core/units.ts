// Units that several files calculate with.

export const NS_PER_MS: i64 = 1_000_000;
export const NS_PER_S: i64 = 1_000_000_000;
