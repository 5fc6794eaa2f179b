/**
 * What a consumer tells its group's coordinator about the schemas it reads with: JSON in the user data of the
 * consumer protocol's subscription, which whoever describes the group sees
 * (https://kafka.apache.org/protocol.html, ConsumerProtocolSubscription).
 */
import * as z from "zod";
import { schemaHash } from "../avro/hash.ts";
import type { Json } from "../table/shape.ts";

/** By topic, the fingerprint of the reader's own schema. */
export type Announcement = ReadonlyMap<string, string>;

const announcement = z.object({ fieldgate: z.literal(1), readers: z.record(z.string(), z.string()) });

/**
 * Identity of a reader's schema: sha256, hex, over its JSON with keys sorted. Not Avro's fingerprint: that leaves out
 * defaults and aliases, which are what a reader reads old and new events with.
 */
export function readerFingerprint(schema: Json): string {
  return schemaHash(schema);
}

export function encodeAnnouncement(readers: Announcement): Buffer {
  return Buffer.from(JSON.stringify({ fieldgate: 1, readers: Object.fromEntries(readers) }), "utf8");
}

/** undefined: the user data is of some other client, or empty. */
export function decodeAnnouncement(userData: Buffer): Announcement | undefined {
  let json: unknown;
  try {
    json = JSON.parse(userData.toString("utf8"));
  } catch {
    return undefined;
  }
  const parsed = announcement.safeParse(json);
  return parsed.success ? new Map(Object.entries(parsed.data.readers)) : undefined;
}
