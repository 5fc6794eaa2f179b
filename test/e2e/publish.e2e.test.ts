import { describe, expect, it } from "vitest";
import { freshDatabase } from "../stack/database.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { readEvents } from "./events.ts";
import { startService } from "./service.ts";

describe("changes go from PostgreSQL's log to Kafka", () => {
  it("existing rows as r, later changes as c, u and d, each once", async () => {
    await using database = await freshDatabase();
    await database.query("create table customers (id int primary key, name text not null, city varchar(20))");
    await database.query("insert into customers values (1, 'Ada', 'London'), (2, 'Grace', null)");
    const prefix = uniquePrefix();
    await using service = await startService({
      database: database.address,
      prefix,
      tables: ["public.customers"],
    });
    await service.idle();
    await database.query("insert into customers values (3, 'Edsger', 'Austin')");
    await database.query("update customers set city = 'New York' where id = 2");
    await database.query("delete from customers where id = 1");
    await using events = readEvents([`${prefix}.public.customers`]);
    const all = await events.until((seen) => seen.length >= 5, "there are five events");
    expect(all.map(({ op, key, after }) => ({ op, key, after }))).toEqual([
      { op: "r", key: { id: 1 }, after: { id: 1, name: "Ada", city: "London" } },
      { op: "r", key: { id: 2 }, after: { id: 2, name: "Grace", city: null } },
      { op: "c", key: { id: 3 }, after: { id: 3, name: "Edsger", city: "Austin" } },
      { op: "u", key: { id: 2 }, after: { id: 2, name: "Grace", city: "New York" } },
      { op: "d", key: { id: 1 }, after: null },
    ]);
    expect(all.map(({ source }) => source["snapshot"])).toEqual(["first", "last", "false", "false", "false"]);
  });
});
