import { tableOid } from "../../table/column.ts";
import { type Captured, capturedFrom, type Parts } from "../session.ts";
import { captureTables, createTopics, describeTopics, firstTableState } from "../start/capture-tables.ts";
import { apply } from "./apply.ts";

/**
 * Captures a table that the connector's file includes and the state does not know, before its first row: creates its
 * topic, its schemas and its shape. All its rows are in the log, so it needs no snapshot. If it is dropped already, its
 * rows are skipped.
 */
export async function captureNew(session: Parts<"control" | "tape" | "batch">, captured: Captured): Promise<void> {
  const { outside, source, control, tape, batch } = session;
  const { relation } = captured;
  const name = `${relation.schema}.${relation.name}`;
  const { table } = await source.table(tableOid(relation.oid));
  if (table === undefined) {
    outside.log.warn(`${name} is new and dropped again: its rows are not published`);
    tape.relations.set(relation.oid, { ...captured, news: undefined });
    return;
  }
  // The catalog may have renamed it since; its topic is named after the table as it is here in the log.
  const named = { ...table, schema: relation.schema, name: relation.name };
  const [item] = captureTables(outside, [named], new Set(control.state.tables.keys()));
  if (item === undefined) {
    // A table that cannot be judged is not resolved again for each row.
    tape.relations.set(relation.oid, { ...capturedFrom(outside, control.state, relation), news: undefined });
    return;
  }
  for (const finding of item.leftOut) outside.log.warn(finding.message);
  await createTopics(outside, [item.topic]);
  for (const [topic, { partitions, maxMessageBytes }] of await describeTopics(outside, [item.topic])) {
    batch.partitions.set(topic, partitions);
    batch.maxBytes.set(topic, maxMessageBytes);
  }
  // Its columns are identified by its first row, like those of any table.
  apply(session, {
    kind: "captured",
    table: { ...(await firstTableState(outside, item)), known: [], assigned: undefined, filenode: undefined },
  });
  const verb = outside.delivery === "none" ? "followed in" : "published to";
  outside.log.info(`${name} is new and ${verb} topic ${item.topic}`);
  tape.relations.set(relation.oid, capturedFrom(outside, control.state, relation));
}
