import { isVisible, type Snapshot } from "../wal/snapshot.ts";

/**
 * The changes in the log between the two marks of one chunk. A key is its framed bytes as latin1 text, as the row
 * encoder returns them.
 */
export interface Window {
  readonly nonce: string;
  /** Transactions that were delivered before the low mark and may not be visible yet. The chunk must see them. */
  readonly before: readonly number[];
  readonly touched: Set<string>;
  /** Touched keys whose change left out an unchanged large value (TOAST). */
  readonly incomplete: Set<string>;
  /** The chunk cannot be used, because of a TRUNCATE, a flip or too many touched keys. */
  spoiled: boolean;
}

export function openWindow(nonce: string, delivered: Iterable<number>): Window {
  return { nonce, before: [...delivered], touched: new Set(), incomplete: new Set(), spoiled: false };
}

/** If a window touches more keys than this, its chunk is read again later. */
const MAX_TOUCHED = 100_000;

export function touch(window: Window, keys: readonly string[], incomplete: boolean): void {
  if (window.spoiled) return;
  if (window.touched.size >= MAX_TOUCHED) {
    window.spoiled = true;
    window.touched.clear();
    window.incomplete.clear();
  }
  for (const key of keys) {
    window.touched.add(key);
    if (incomplete) window.incomplete.add(key);
    else window.incomplete.delete(key);
  }
}

/** True if the chunk's snapshot contains everything that the stream had delivered before the window. */
export function seesAll(window: Window, snapshot: Snapshot): boolean {
  return window.before.every((xid) => isVisible(snapshot, xid));
}

/**
 * Sorts the chunk's rows, by index. `publish`: rows that no change in the window touched. `again`: rows to read again,
 * because their change did not contain every value.
 */
export function sift(
  window: Window,
  keys: readonly string[],
): { readonly publish: readonly number[]; readonly again: readonly number[] } {
  const publish: number[] = [];
  const again: number[] = [];
  keys.forEach((key, index) => {
    if (!window.touched.has(key)) publish.push(index);
    else if (window.incomplete.has(key)) again.push(index);
  });
  return { publish, again };
}
