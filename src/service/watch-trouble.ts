import type { Notice } from "../guard/outside.ts";
import { overNews, troubleNews } from "../words/trouble.ts";
import { lookEvery } from "./look-every.ts";
import type { RunningConnector } from "./running.ts";
import { settle, type Trouble, troubleOf } from "./trouble.ts";

/** A trouble that has lasted for this long is reported to people. */
const REPORTED_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 1000;

export interface TroubleReports {
  readonly log: { warn(message: string): void; info(message: string): void };
  /** Alerts people. `publishes`: whether the connector publishes events from now on. */
  readonly alert: (notice: Notice, publishes: boolean) => void;
  /** Called after the start and after a stop, once the connector works. */
  readonly works: () => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/**
 * Watches a connector. Reports once that it has been in trouble for a minute, and once that the trouble is over. The
 * loop itself reports a stop; only the end of a stop is reported here.
 */
export function watchTrouble(running: RunningConnector, reports: TroubleReports): Disposable {
  const { log, alert, works, now } = reports;
  let reported: Trouble | undefined;
  let isKnownToWork = false;
  const begin = (trouble: Trouble): void => {
    reported = trouble;
    if (trouble.kind === "stopped") return;
    const { what, next } = troubleNews(trouble, now() - trouble.since);
    log.warn(`${what}; next: ${next}`);
    alert({ id: idOf(trouble), about: trouble.kind, severity: "urgent", what, next }, trouble.kind === "stalled");
  };
  const end = (trouble: Trouble): void => {
    reported = undefined;
    const what = overNews(trouble.kind, now() - trouble.since);
    log.info(what);
    if (trouble.kind === "stopped") return;
    const id = `${idOf(trouble)}/over`;
    alert({ id, about: "flows-again", severity: "info", what, next: undefined }, true);
  };
  return lookEvery(LOOK_EVERY_MS, () => {
    const trouble = troubleOf(running, now());
    if (trouble?.kind === "stopped") {
      // The alert about the stop replaces the one about what came before it.
      if (reported?.kind !== "stopped") begin(trouble);
      isKnownToWork = false;
    } else if (trouble !== undefined) {
      if (reported === undefined && now() - trouble.since >= REPORTED_AFTER_MS) begin(trouble);
    } else if (settle(running, now())) {
      if (reported !== undefined) end(reported);
      if (!isKnownToWork) works();
      isKnownToWork = true;
    }
  });
}

function idOf({ kind, since }: Trouble): string {
  return `trouble/${kind}/${since}`;
}
