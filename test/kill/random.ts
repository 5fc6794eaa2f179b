/** A random number generator with a seed: mulberry32. */
export interface Random {
  /** At least 0 and less than 1. */
  next(): number;
  /** A whole number, including both ends. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  shuffle<T>(list: readonly T[]): readonly T[];
  /** A separate sequence, so that the numbers of one session do not depend on how fast the others are. */
  fork(): Random;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(from: readonly T[]): T => {
    const index = between(0, from.length - 1);
    if (from.length === 0) throw new Error("nothing to pick from");
    return from[index] as T; // the index is within the list, which is not empty
  };
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick,
    shuffle: (list) =>
      list
        .map((item) => ({ item, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ item }) => item),
    fork: () => random(between(0, 0xffff_ffff)),
  };
}
