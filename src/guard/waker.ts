/** Lets background work wake the loop while it sleeps. */
export interface Waker {
  readonly wake: () => void;
  /** Ends the session: the loop throws the first error that was passed here. */
  readonly fail: (error: unknown) => void;
  readonly throwIfFailed: () => void;
  /** Resolves when `wake` has been called since the last wait, or after `ms`. */
  readonly wait: (ms: number) => Promise<void>;
}

export function createWaker(): Waker {
  let woken = false;
  let resolve: (() => void) | undefined;
  let failure: { readonly error: unknown } | undefined;
  const wake = (): void => {
    woken = true;
    resolve?.();
  };
  return {
    wake,
    fail(error) {
      failure ??= { error };
      wake();
    },
    throwIfFailed() {
      if (failure !== undefined) throw failure.error;
    },
    async wait(ms) {
      if (!woken) {
        await new Promise<void>((done) => {
          const timer = setTimeout(done, ms);
          resolve = () => {
            clearTimeout(timer);
            done();
          };
        });
        resolve = undefined;
      }
      woken = false;
    },
  };
}
