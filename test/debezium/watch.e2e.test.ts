import { expect, it } from "vitest";
import { firstDay, readEnds } from "../e2e/first-day.ts";
import { freshDatabase } from "../stack/database.ts";
import { openDebezium } from "./debezium.ts";

const TRANSFORMS = {
  transforms: "unwrap,route",
  "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
  "transforms.unwrap.add.fields": "op,source.lsn,ts_ms:published",
  "transforms.unwrap.delete.tombstone.handling.mode": "rewrite",
  "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
  "transforms.route.regex": "([^.]+)\\.([^.]+)\\.([^.]+)",
  "transforms.route.replacement": "$1.$3",
};

it.each([
  ["envelopes", ".public.t", {}],
  ["rows, unwrapped, in a topic its transform has renamed", ".t", TRANSFORMS],
])(
  "the first day beside a real Debezium of %s: who would break is told before its first row, then what it has published, then that its task ends",
  async (_, named, keys) => {
    await using database = await freshDatabase();
    await database.query("create table t (id int primary key, a text)");
    await using debezium = await openDebezium({
      database,
      tables: ["public.t"],
      connector: { "message.prefix.exclude.list": "fieldgate.*", ...keys },
    });
    const topic = `${debezium.prefix}${named}`;
    await firstDay(database, { ...debezium, topic, publish: async () => {} });
    expect(await debezium.log()).toMatch(/409/);
    // Of the first two rows; the third ended it.
    expect(await readEnds(debezium.prefix)).toEqual({ [topic]: 2 });
  },
);
