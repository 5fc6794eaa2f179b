import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { type Committed, lsnOf } from "./state.ts";

interface Sample {
  readonly acknowledged: bigint;
  /** The time just after it was read. */
  readonly at: number;
}

/** Samples continuously how far the slot has been acknowledged. */
export interface AcknowledgedSampler extends AsyncDisposable {
  readonly samples: { count: number };
  /** A position that was acknowledged before its record was created; `positions` are those committed so far. */
  ahead(positions: readonly Committed[]): string | undefined;
  now(): Promise<bigint>;
}

const EVERY_MS = 10;

export function sampleAcknowledged(client: Client, slot: string): AcknowledgedSampler {
  const waiting: Sample[] = [];
  const samples = { count: 0 };
  let place = 0;
  const stopping = new AbortController();
  let failure: unknown;
  const now = async (): Promise<bigint> => {
    const { rows } = await client.query<{ lsn: string | null }>(
      "select confirmed_flush_lsn as lsn from pg_replication_slots where slot_name = $1",
      [slot],
    );
    return lsnOf(rows[0]?.lsn ?? "0/0");
  };
  const sampling = (async () => {
    for (let last = 0n; !stopping.signal.aborted; await sleep(EVERY_MS)) {
      const acknowledged = await now();
      samples.count += 1;
      if (acknowledged > last) waiting.push({ acknowledged, at: Date.now() });
      last = acknowledged;
    }
  })().catch((error: unknown) => (failure = error));
  return {
    samples,
    now,
    ahead(positions) {
      if (failure !== undefined) throw new Error("sampling the slot failed", { cause: failure });
      // The slot is created before the first position, which is taken from it.
      const [first] = positions;
      if (first === undefined) return undefined;
      for (let sample = waiting[0]; sample !== undefined; sample = waiting[0]) {
        if (sample.acknowledged <= first.endLsn) {
          waiting.shift();
          continue;
        }
        while ((positions[place]?.endLsn ?? sample.acknowledged) < sample.acknowledged) place += 1;
        const position = positions[place];
        if (position === undefined) return undefined;
        if (Number(position.at) > sample.at) {
          return `${sample.acknowledged} was acknowledged ${Number(position.at) - sample.at} ms before it was committed`;
        }
        waiting.shift();
      }
      return undefined;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await sampling;
    },
  };
}
