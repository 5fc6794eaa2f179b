/**
 * Calls `look`, which must not reject, at this interval in milliseconds, but never while an earlier call is running.
 * Does not keep the process alive.
 */
export function lookEvery(ms: number, look: () => Promise<void> | void): Disposable {
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void Promise.resolve(look()).finally(() => (looking = false));
  }, ms);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
