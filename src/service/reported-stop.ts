import { z } from "zod";
import { GuardError } from "../errors.ts";
import type { Sink } from "../guard/outside.ts";
import type { Appender } from "../kafka/append.ts";
import type { Stop, StopMemory } from "../slack/connector-news.ts";

/** The record's key in the connector's state topic; it is not part of the state. */
const KEY = "alert/stopped";

const stopRecord = z.object({
  v: z.literal(1),
  code: z.string(),
  topic: z.string().optional(),
  position: z.string().optional(),
  since: z.string(),
  time: z.string(),
  reminders: z.number(),
});

/**
 * Remembers that people were alerted about a stop, so that a restart does not alert them again. The record is appended
 * outside a transaction, because the connector that could open one has ended; no decision depends on it. `appender` is
 * undefined until Kafka has answered for the first time.
 */
export function openReportedStop(stateTopic: string, sink: Sink, appender: () => Appender | undefined): StopMemory {
  return {
    async read() {
      const records = await sink.readState(undefined, AbortSignal.timeout(5000));
      const last = records.findLast(({ key }) => key === KEY)?.value;
      const stop = last === undefined || last === null ? undefined : stopIn(last);
      return stop && { ...stop, topic: stop.topic, position: stop.position };
    },
    async write(stop) {
      const value = stop === undefined ? null : Buffer.from(JSON.stringify({ v: 1, ...stop }));
      await appender()?.append(stateTopic, 0, Buffer.from(KEY), value);
    },
  };
}

/** A record that cannot be read counts as none, so at most an alert is repeated. */
function stopIn(text: string) {
  try {
    return stopRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Why a connector stopped or a topic halts. The message of an unknown error is left out, because it may contain row
 * values.
 */
export function describeStop(error: unknown, position: string | undefined, topic?: string): Stop {
  const known = error instanceof GuardError ? error : undefined;
  return {
    code: known?.code ?? "unknown",
    message: known?.message ?? "unexpected error, see the service's log",
    next: known?.next,
    position,
    topic,
    handedOver: known?.code === "connector-taken",
  };
}
