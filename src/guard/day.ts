import { dayOf } from "../contract/severity.ts";
import { withheldOf } from "../gate/update.ts";
import { apply } from "./apply.ts";
import type { Session } from "./session.ts";
import { isoTime } from "./time.ts";

/**
 * A severity that was changed until yesterday counts no more, and no input says so: called at every turn of the loop,
 * what waits is judged anew at the first one of a day (UTC).
 */
export function onNewDay(session: Session): () => void {
  const today = () => dayOf(isoTime(session.outside.now()));
  let day = today();
  return () => {
    if (today() === day) return;
    day = today();
    for (const [topic, table] of session.state.tables) {
      if (withheldOf(table).length > 0) apply(session, { kind: "settle", topic });
    }
  };
}
