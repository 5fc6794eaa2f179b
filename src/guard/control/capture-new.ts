import { tableOid } from "../../table/column.ts";
import { apply } from "./apply.ts";
import { type Captured, capturedFrom, isWatching, type Session } from "../session.ts";
import { capturable, createTopics, firstState, oneTopic } from "../start/capture-tables.ts";

/**
 * Before the first row of a table that the connector's file captures and nobody knew: its topic, its schemas and its
 * shape. All its rows are in the log, so it needs no snapshot. One that is dropped again already is left out.
 */
export async function captureNew(session: Session, captured: Captured): Promise<void> {
  const { outside, source, relations, partitions, maxBytes } = session;
  const { relation } = captured;
  const { table } = await source.table(tableOid(relation.oid));
  if (table === undefined) {
    outside.log.warn(`${relation.schema}.${relation.name} is new and dropped again: its rows are not published`);
    relations.set(relation.oid, { ...captured, news: undefined });
    return;
  }
  // The catalog may have renamed it since; its topic is of the name it has here in the log.
  const items = capturable(outside, [{ ...table, schema: relation.schema, name: relation.name }]);
  for (const item of items) {
    for (const finding of item.leftOut) outside.log.warn(finding.message);
    if (isWatching(session)) {
      if (session.state.tables.has(item.topic)) {
        outside.log.warn(`${oneTopic(item.topic)}: ${relation.schema}.${relation.name} is not judged`);
        continue;
      }
      apply(session, { kind: "captured", table: { ...(await firstState(outside, item)), known: [] } });
      outside.log.info(`${relation.schema}.${relation.name} is new: topic ${item.topic} is followed`);
      continue;
    }
    await createTopics(outside, [item.topic]);
    const described = await outside.sink.describeTopics([item.topic]);
    partitions.set(item.topic, described.get(item.topic)?.partitions ?? 1);
    maxBytes.set(item.topic, described.get(item.topic)?.maxMessageBytes ?? 1_048_576);
    const state = await firstState(outside, item);
    apply(session, { kind: "captured", table: { ...state, known: [] } });
    outside.log.info(`${relation.schema}.${relation.name} is new: published to ${item.topic}`);
  }
  const known = capturedFrom(session, relation);
  // What cannot be judged is not asked about at each row.
  relations.set(relation.oid, items.length === 0 ? { ...known, news: undefined } : known);
}
