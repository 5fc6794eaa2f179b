import type { Collected } from "../stack/collect.ts";
import type { Decoder } from "../stack/decode.ts";
import type { Seen } from "./events.ts";
import { HUSH, markerOf } from "./tables.ts";

/** Searches the bytes of records for values of withheld columns. */
export interface LeakCheck {
  /** From now on writers fill this column. */
  withhold(column: string): void;
  /** From now on the column may flow, because its release has been requested. */
  release(column: string): void;
  /** Why a record is wrong; undefined if it is not. */
  leakOf(seen: Seen, decoder: Decoder): Promise<string | undefined>;
}

export function leakCheck(): LeakCheck {
  const releasedAt = new Map<string, number>();
  const fields = new Map<number, string>();
  return {
    withhold: (column) => void releasedAt.set(column, Number.POSITIVE_INFINITY),
    release: (column) => {
      if (releasedAt.get(column) === Number.POSITIVE_INFINITY) releasedAt.set(column, Date.now());
    },
    async leakOf({ record, schemaId, op }, decoder) {
      const hush = hushIn(record);
      if (hush !== undefined) return hush;
      if (record.value === null || op === undefined) return undefined;
      const schema = fields.get(schemaId) ?? JSON.stringify(await decoder.schema(schemaId));
      fields.set(schemaId, schema);
      for (const [column, since] of releasedAt) {
        const field = schema.includes(`"name":"${column}"`);
        if (field && Number(record.timestamp) < since) return `field ${column} before its release`;
        if (!field && record.value.includes(markerOf(column))) return `a value of ${column} under a schema without it`;
      }
      return undefined;
    },
  };
}

/** Finds a value of a column that is never released. No record in any topic may have one. */
export function hushIn({ key, value, headers, topic, offset }: Collected): string | undefined {
  const parts = [key, value, ...Object.values(headers).map((header) => Buffer.from(String(header)))];
  return parts.some((part) => part?.includes(HUSH) === true)
    ? `${topic} offset ${offset} holds a value of a column that was never released`
    : undefined;
}
