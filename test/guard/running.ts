import type { State } from "../../src/gate/state.ts";
import { runLoop } from "../../src/guard/loop.ts";
import { TOPIC } from "../gate/customers.ts";
import { type Given, sessionIn, type World, worldOf } from "./session.ts";

const STOPPING = new Error("the test is over");

/** A loop that runs until the test is over; `ended` is the error that ended it. */
export function running(given: Given = {}, state?: State) {
  const world = worldOf(given);
  const ending = new AbortController();
  const session = sessionIn(world, state, ending);
  const ended = runLoop(session).then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    world,
    session,
    ended,
    async [Symbol.asyncDispose]() {
      ending.abort(STOPPING);
      session.waker.wake();
      await ended;
    },
  };
}

/** Events on the data topic, in the order of their commits; the value's bytes, or null. */
export function events({ commits }: World) {
  return commits.flat().filter(({ topic }) => topic === TOPIC);
}

export function positions({ commits }: World): readonly string[] {
  const records = commits.flat().filter(({ key }) => String(key) === "position");
  return records.map(({ value }) => (JSON.parse(String(value)) as { endLsn: string }).endLsn); // our own record
}

export const isReached = (world: World, position: string) => positions(world).includes(position);
