import { z } from "zod";
import type { Sink } from "../guard/outside.ts";
import type { Appender } from "../kafka/append.ts";

/** The records' keys in the connector's state topic begin with this; they are not part of the state. */
const PREFIX = "alert/contract/";

const fitRecord = z.object({ v: z.literal(1), errors: z.string() });

/** Remembers which contracts people were alerted about, so that a restart does not alert them again. */
export interface FitMemory {
  /** By contract: what was wrong with it. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** undefined: it fits again, or it was withdrawn. */
  write(contract: string, errors: string | undefined): Promise<void>;
}

/** Like the record of a stop, these are appended outside a transaction: no decision depends on them. */
export function openReportedFit(stateTopic: string, sink: Sink, appender: Appender): FitMemory {
  return {
    async read() {
      const known = new Map<string, string>();
      for (const { key, value } of await sink.readState(undefined, AbortSignal.timeout(30_000))) {
        if (!key.startsWith(PREFIX)) continue;
        const contract = key.slice(PREFIX.length);
        const errors = value === null ? undefined : errorsIn(value);
        if (errors === undefined) known.delete(contract);
        else known.set(contract, errors);
      }
      return known;
    },
    async write(contract, errors) {
      const value = errors === undefined ? null : Buffer.from(JSON.stringify({ v: 1, errors }));
      await appender.append(stateTopic, 0, Buffer.from(`${PREFIX}${contract}`), value);
    },
  };
}

/** A record that cannot be read counts as none, so at most an alert is repeated. */
function errorsIn(text: string): string | undefined {
  try {
    return fitRecord.safeParse(JSON.parse(text)).data?.errors;
  } catch {
    return undefined;
  }
}
