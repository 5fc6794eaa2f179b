import type { Told } from "../gate/amendment.ts";
import { tellText } from "../gate/settle.ts";
import type { ConnectorAlerts } from "./start-slack.ts";

/** Without a webhook the log is all that people are told by, and that is done by then. */
export function withoutSlack(now: () => string): ConnectorAlerts {
  let hear: ((told: Told) => void) | undefined;
  return {
    tell(amendment) {
      const told = { id: amendment.id, text: tellText(amendment), time: now(), reminders: 0 };
      queueMicrotask(() => hear?.(told));
    },
    onTold: (then) => (hear = then),
    state: () => undefined,
    stopped: () => undefined,
  };
}
