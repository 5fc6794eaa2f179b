import type { Socket } from "node:net";

/**
 * Lets the kernel collect rows while many arrive. A walsender sends every message by itself, so a reader that takes each
 * one as it comes is woken for every row or two, and so is the walsender. While much arrives, the socket is paused for a
 * millisecond after each small piece. Below that rate nothing is delayed.
 */
export interface ReadPauses extends Disposable {
  /** A piece of this many bytes has arrived and was handled. */
  received(bytes: number): void;
  /** Stops reading until `resume`. */
  pause(): void;
  resume(): void;
}

/** The rate is measured over this time. */
const WINDOW_MS = 10;
/** 5 MB/s. */
const MANY_BYTES = 50_000;
/** After a piece of this size, more is probably there. */
const SMALL_BYTES = 32_768;
const PAUSE_MS = 1;

/** `now`: milliseconds of a monotonic clock. */
export function pauseReads(socket: Pick<Socket, "pause" | "resume">, now = () => performance.now()): ReadPauses {
  let begun = now();
  let bytes = 0;
  let isMany = false;
  let isHeld = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    timer = undefined;
    if (!isHeld) socket.resume();
  };
  return {
    received(size) {
      bytes += size;
      const took = now() - begun;
      if (took >= WINDOW_MS) {
        isMany = bytes * WINDOW_MS >= MANY_BYTES * took;
        begun += took;
        bytes = 0;
      }
      if (!isMany || isHeld || timer !== undefined || size >= SMALL_BYTES) return;
      socket.pause();
      timer = setTimeout(end, PAUSE_MS);
    },
    pause() {
      isHeld = true;
      socket.pause();
    },
    resume() {
      isHeld = false;
      if (timer === undefined) socket.resume();
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
