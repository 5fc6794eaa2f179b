import type { WalItem } from "../wal/message.ts";

/** The approximate memory that an item takes in addition to its bytes: its object, its Buffer and its LSN. */
const ITEM_BYTES = 256;

/** A first-in, first-out queue that counts the memory it uses. */
export interface WalQueue {
  push(item: WalItem): void;
  shift(): WalItem | undefined;
  clear(): void;
  readonly bytes: number;
}

export function walQueue(): WalQueue {
  let items: (WalItem | undefined)[] = [];
  let head = 0;
  let bytes = 0;
  return {
    push(item) {
      const last = items.length > head ? items[items.length - 1] : undefined;
      if (item.kind === "keepalive" && last?.kind === "keepalive") {
        // With nothing in between, the later one replaces the earlier one.
        items[items.length - 1] = item;
        return;
      }
      items.push(item);
      bytes += costOf(item);
    },
    shift() {
      const item = items[head];
      if (item === undefined) return undefined;
      items[head++] = undefined;
      bytes -= costOf(item);
      if (head === items.length) {
        items = [];
        head = 0;
      } else if (head >= 4096 && head * 2 >= items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    clear() {
      items = [];
      head = 0;
      bytes = 0;
    },
    get bytes() {
      return bytes;
    },
  };
}

function costOf(item: WalItem): number {
  return item.kind === "data" ? item.bytes.length + ITEM_BYTES : ITEM_BYTES;
}
