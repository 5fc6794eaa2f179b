import { captureFilter } from "../../src/capture/lists.ts";
import type { Waits } from "../../src/guard/waits.ts";
import type { RunningConnector } from "../../src/service/running.ts";

/** A connector that is starting, with what it waits for. */
export function starting(waits: Waits, causes: readonly string[] = []): RunningConnector {
  return {
    name: "inventory",
    mode: "guard",
    status: { kind: "starting" },
    state: undefined,
    publication: "fieldgate_inventory",
    filter: captureFilter({}),
    notCaptured: [],
    warnings: [],
    jobs: { starts: new Map(), update: () => {} },
    waits,
    causes,
    failing: undefined,
    stoppedAt: undefined,
    streamingSince: undefined,
    last: undefined,
  };
}
