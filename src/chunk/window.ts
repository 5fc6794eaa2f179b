import { isVisible, type Snapshot } from "../wal/snapshot.ts";

/**
 * What happened in the log between the two marks of one chunk. Keys are the framed key bytes as latin1 text, as
 * the row encoder gives them.
 */
export interface Window {
  readonly nonce: string;
  /** Transactions delivered before the low mark and not yet known to be visible: the chunk must see them. */
  readonly before: readonly number[];
  readonly touched: Set<string>;
  /** Touched keys whose change left a large value out of the log. */
  readonly incomplete: Set<string>;
  /** The chunk cannot be used: TRUNCATE, or more keys touched than are kept. */
  spoiled: boolean;
}

export function openWindow(nonce: string, delivered: Iterable<number>): Window {
  return { nonce, before: [...delivered], touched: new Set(), incomplete: new Set(), spoiled: false };
}

/** So many keys are kept; a transaction that touches more has the chunk read again after it. */
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

/** Does the chunk's snapshot contain all that the stream had delivered before the window? */
export function seesAll(window: Window, snapshot: Snapshot): boolean {
  return window.before.every((xid) => isVisible(snapshot, xid));
}

/**
 * Which of the chunk's rows to publish, by index: those no change in between has touched; and which to read
 * again, because their change did not carry every value.
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
