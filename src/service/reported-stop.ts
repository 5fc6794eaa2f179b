import { z } from "zod";
import { GuardError } from "../errors.ts";
import type { Sink } from "../guard/outside.ts";
import type { Appender } from "../kafka/append.ts";
import type { Stop, StopMemory } from "../slack/connector-news.ts";

/** Its key in the connector's state topic; no part of the state. */
const KEY = "alert/stopped";

const stopRecord = z.object({
  v: z.literal(1),
  code: z.string(),
  message: z.string(),
  position: z.string().optional(),
  since: z.string(),
  time: z.string(),
  reminders: z.number(),
});

/**
 * That people were told of a stop, kept beside the connector's state. It is appended without a transaction, since the
 * connector that could write one has ended; nothing that is decided depends on it.
 */
export function stopMemory(stateTopic: string, sink: Sink, appender: Appender): StopMemory {
  return {
    async read() {
      const records = await sink.readState(undefined, AbortSignal.timeout(5000));
      const last = records.findLast(({ key }) => key === KEY)?.value;
      if (last === undefined || last === null) return undefined;
      const told = stopRecord.safeParse(JSON.parse(last)).data;
      return told && { ...told, position: told.position };
    },
    async write(told) {
      await appender.append(stateTopic, 0, Buffer.from(KEY), Buffer.from(JSON.stringify({ v: 1, ...told })));
    },
  };
}

/** Why a connector ended, for people. Of an error that is not ours nothing is said: it may hold values. */
export function stopOf(error: unknown, position: string | undefined): Stop {
  const known = error instanceof GuardError ? error : undefined;
  return {
    code: known?.code ?? "unknown",
    message: known?.message ?? "an error that Fieldgate does not know: see its log",
    next: known?.next,
    position,
    handedOver: known?.code === "connector-taken",
  };
}
