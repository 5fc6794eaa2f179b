/** Runs the service until the signal aborts. */
export async function run(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
}
