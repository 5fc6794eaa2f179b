import { describeError } from "../errors.ts";
import type { Log } from "../guard/outside.ts";
import type { Wait } from "../guard/waits.ts";
import { describeWait, heldUpBy } from "../words/trouble.ts";
import { lookEvery } from "./look-every.ts";
import type { RunningConnector } from "./running.ts";

/** A wait that has lasted this long is shown and logged, and its causes are determined. */
export const LONG_WAIT_MS = 5000;
const LOOK_EVERY_MS = 1000;
const LOG_AGAIN_MS = 60_000;

/** Watches a connector's oldest wait. Logs it once it is long, then every minute, and when it is over. */
export function watchWaits(running: RunningConnector, log: Log, now = () => performance.now()): Disposable {
  /** The wait that was logged, and when. */
  let logged: { readonly wait: Wait; readonly at: number } | undefined;
  return lookEvery(LOOK_EVERY_MS, async () => {
    const wait = running.waits.oldest();
    if (logged !== undefined && logged.wait !== wait) {
      log.info(`no longer waits for ${describeWait(logged.wait)}, after ${secondsSince(logged.wait, now())} s`);
      logged = undefined;
    }
    if (wait === undefined || now() - wait.since < LONG_WAIT_MS) {
      running.causes = [];
      return;
    }
    running.causes = await causesOf(wait, log);
    if (logged !== undefined && now() - logged.at < LOG_AGAIN_MS) return;
    logged = { wait, at: now() };
    log.warn(`has waited ${secondsSince(wait, now())} s for ${describeWait(wait)}${heldUpBy(running.causes)}`);
  });
}

function secondsSince({ since }: Wait, now: number): number {
  return Math.round((now - since) / 1000);
}

/** Finding out the causes must not hang as well. Without them, the wait itself is still reported. */
async function causesOf({ causes }: Wait, log: Log): Promise<readonly string[]> {
  if (causes === undefined) return [];
  const late = new Promise<readonly string[]>((resolve) => setTimeout(resolve, LOOK_EVERY_MS, []).unref());
  return Promise.race([causes(), late]).catch((error: unknown) => {
    log.info(`cannot find out what holds it up: ${describeError(error)}`);
    return [];
  });
}
