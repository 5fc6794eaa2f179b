import type { Client } from "pg";
import { quoteIdentifier } from "./quote.ts";

/** Hands on the bytes; nothing here can throw, as that would be an uncaught exception. */
export function pgoutput(publication: string) {
  const list = quoteIdentifier(publication).replaceAll("'", "''");
  return {
    name: "pgoutput",
    options: {},
    // A copy: pg-protocol's parser reuses its buffer.
    parse: (bytes: Buffer): Buffer => Buffer.from(bytes),
    start: (client: Client, slot: string, start: string): Promise<unknown> =>
      client.query(
        `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${start} ` +
          `(proto_version '1', publication_names '${list}', messages 'true')`,
      ),
  };
}
