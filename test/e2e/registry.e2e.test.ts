import { describe, expect, it } from "vitest";
import { fieldOf } from "../../src/event/field.ts";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { attnum } from "../../src/table/column.ts";
import { faultyRegistry } from "../stack/faulty-registry.ts";
import { ownRegistry } from "../stack/own-registry.ts";
import { servers } from "../stack/servers.ts";
import { until } from "../stack/until.ts";
import { captureTable, latest, type World } from "./world.ts";

const MANUAL = { "fieldgate.release.policy": "manual" };

async function expectRowFlows(world: World, id: number): Promise<void> {
  await world.database.query("insert into t (id, a, nick) values ($1, 'row', 'value')", [id]);
  const all = await world.events.until(
    (seen) => seen.some(({ after }) => after?.["id"] === id),
    `row ${id} is published`,
  );
  expect(all.find(({ after }) => after?.["id"] === id)?.after).toEqual({ id, a: "row" });
}

async function setLevel(topic: string, level: string): Promise<void> {
  const response = await fetch(`${servers.registry.url}/config/${topic}-value`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ compatibility: level }),
  });
  if (!response.ok) throw new Error(`setting the level: ${response.status}`);
}

async function registerSchema(topic: string, schema: string): Promise<void> {
  const response = await fetch(`${servers.registry.url}/subjects/${topic}-value/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ schema }),
  });
  if (!response.ok) throw new Error(`registering: ${response.status}`);
}

/** A new column is withheld while rows flow, because somebody else has to register its schema, and flows once it is. */
async function reasonWhileAwaited(world: World): Promise<string> {
  await world.database.query("alter table t add column nick text");
  await expectRowFlows(world, 2);
  const awaited = await until(async () => {
    const one = await world.service.amendment("nick", "withheld");
    return one.gate.reason.kind === "registration-awaited" ? one : undefined;
  }, "its schema is awaited");
  await registerSchema(world.topic, JSON.stringify(JSON.parse(awaited.candidate?.schema ?? ""), null, 2));
  await world.service.amendment("nick", "released");
  await world.events.until(
    (seen) => seen.some(({ op, after }) => op === "r" && after?.["nick"] === "value"),
    "its value",
  );
  return awaited.gate.why;
}

/** Registers the schema that Debezium would have registered for t(id, a). */
async function registerAsDebezium(topic: string): Promise<void> {
  const base = { notNull: false, defaultExpr: undefined, identity: false, generated: false };
  const columns = [
    { ...base, attnum: attnum(1), name: "id", type: { oid: 23, typmod: -1 }, typeName: "integer", notNull: true },
    { ...base, attnum: attnum(2), name: "a", type: { oid: 25, typmod: -1 }, typeName: "text" },
  ];
  const fields = columns.flatMap((column) => {
    const mapped = fieldOf(column);
    return mapped.kind === "field" ? [mapped.field] : [];
  });
  await registerSchema(topic, JSON.stringify(envelopeSchema(topic, fields)));
}

describe("a registry", () => {
  it("that hangs: a new column is withheld while rows flow, and released once the registry answers", async () => {
    await using registry = await faultyRegistry(servers.registry.url);
    await using world = await captureTable({ registryUrl: registry.url, schemasFrom: servers.registry.url });
    registry.fail({ kind: "hang" });
    await world.database.query("alter table t add column nick text");
    await world.database.query("insert into t values (2, 'two', 'deuce')");
    const withheld = await world.service.amendment("nick", "withheld", 30_000);
    expect(withheld.gate.why).toMatch(/registry has not answered|not judged yet/);
    const without = await world.events.until((seen) => seen.some(({ after }) => after?.["id"] === 2), "the row flows");
    expect(without.find(({ after }) => after?.["id"] === 2)?.after).toEqual({ id: 2, a: "two" });
    await registry.heal();
    await world.service.amendment("nick", "released", 60_000);
    await world.events.until((seen) => seen.some(({ after }) => after?.["nick"] === "deuce"), "its value");
  });

  it("that refuses connections: a new column is withheld while rows flow, and released afterwards", async () => {
    await using registry = await faultyRegistry(servers.registry.url);
    await using world = await captureTable({ registryUrl: registry.url, schemasFrom: servers.registry.url });
    await registry.refuse();
    await world.database.query("alter table t add column nick text");
    await expectRowFlows(world, 2);
    await until(
      async () => (await world.service.amendment("nick", "withheld")).gate.why.includes("registry has not answered"),
      "the amendment says why it is withheld",
    );
    for (let id = 3; id < 6; id++) await expectRowFlows(world, id);
    await registry.heal();
    await world.service.amendment("nick", "released", 40_000);
    await world.service.idle();
    const expected = await world.database.query("select id, a, nick from t where nick is not null order by id");
    const all = await world.events.until(
      (seen) => seen.filter(({ op, after }) => op === "r" && after?.["nick"] === "value").length >= expected.length,
      "the backfill",
    );
    const rows = latest(all.map(({ after }) => after)).filter((row) => row["nick"] === "value");
    expect(rows).toEqual(expected);
  });

  it("that others write: a released column flows once its schema is registered", async () => {
    await using world = await captureTable();
    await world.stop();
    await world.start({ "fieldgate.register": "external" });
    expect(await reasonWhileAwaited(world)).toContain("fieldgate.register is external");
  });

  it("that lets Fieldgate read only: a released column flows once somebody else has registered its schema", async () => {
    await using registry = await faultyRegistry(servers.registry.url);
    await using world = await captureTable({ registryUrl: registry.url, schemasFrom: servers.registry.url });
    registry.fail(
      { kind: "answer", status: 403 },
      ({ method, path }) => method === "POST" && /^\/subjects\/[^/]+\/versions/.test(path),
    );
    expect(await reasonWhileAwaited(world)).toContain("status 403");
  });

  it("whose level is raised between check and registration: the release is refused, the candidate widened, a second release done", async () => {
    await using world = await captureTable({ connector: MANUAL });
    await setLevel(world.topic, "FORWARD");
    await world.database.query("truncate t; alter table t add column level int not null");
    await world.database.query("insert into t values (2, 'two', 7)");
    const first = await world.service.amendment("level", "withheld");
    expect(first.candidate?.widened).toBeUndefined();
    await setLevel(world.topic, "FULL");
    expect(await world.service.command({ kind: "release", ids: [first.id] })).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("409"),
    });
    await until(
      async () => (await world.service.amendment("level", "withheld")).candidate?.widened !== undefined,
      "the candidate is widened",
    );
    expect(await world.service.command({ kind: "release", ids: [first.id] })).toMatchObject({ kind: "done" });
    await world.service.idle();
    await world.events.until((seen) => seen.some(({ after }) => after?.["level"] === 7), "the value");
  });

  it("whose subject lacks a column at the first start: the column is withheld and later released with every value", async () => {
    await using world = await captureTable({
      connector: MANUAL,
      setup: "create table t (id int primary key, a text, b int); insert into t values (1, 'one', 11)",
      before: registerAsDebezium,
    });
    const [first] = await world.events.until((seen) => seen.length >= 1, "the snapshot");
    expect(first?.after).toEqual({ id: 1, a: "one" });
    const { id } = await world.service.amendment("b", "withheld");
    expect(await world.service.command({ kind: "release", ids: [id] })).toMatchObject({ kind: "done" });
    await world.service.idle();
    const all = await world.events.until((seen) => seen.length >= 2, "the backfill");
    expect(latest(all.map(({ after }) => after))).toEqual([{ id: 1, a: "one", b: 11 }]);
  });

  it("that hangs during a registration: a contract published meanwhile counts before the gate opens", async () => {
    await using registry = await faultyRegistry(servers.registry.url);
    await using world = await captureTable({ registryUrl: registry.url, schemasFrom: servers.registry.url });
    const registering = (asked: { method: string; path: string }) =>
      asked.method === "POST" && /^\/subjects\/.*-value(\/versions)?(\?|$)/.test(asked.path);
    registry.fail({ kind: "hang" }, registering);
    await world.database.query("alter table t add column nick text");
    await world.database.query("insert into t values (2, 'row', 'value')");
    await until(() => registry.asked.filter(registering).length > 2, "the registration is under way");
    await world.service.publishContract({
      consumer: "replica",
      topic: world.topic,
      decodesWith: "writer",
      unknownFields: "reject",
      fields: ["id", "a"],
    });
    await registry.heal();
    const withheld = await until(async () => {
      const amendment = await world.service.amendment("nick", "withheld");
      return amendment.gate.why.includes("replica") ? amendment : undefined;
    }, "the contract counts");
    expect(withheld.verdicts).toMatchObject([{ verdict: "not-ready" }]);
    await expectRowFlows(world, 3);
    expect((await world.events.all()).some(({ after }) => after !== null && "nick" in after)).toBe(false);
  });
});

it("a registry that was emptied while the service was down gets the schemas again, and events have ids that it knows", async () => {
  await using registry = await ownRegistry();
  const { url } = registry;
  await using world = await captureTable({ registryUrl: url });
  const { database, topic, events } = world;
  await world.stop();
  for (const part of ["value", "key"]) {
    for (const query of ["", "?permanent=true"]) {
      await fetch(`${url}/subjects/${topic}-${part}${query}`, { method: "DELETE" });
    }
  }
  const service = await world.start();
  await database.query("insert into t values (2, 'two')");
  await until(() => Promise.resolve(events.collector.records.length >= 2 || undefined), "the row is published");
  const last = events.collector.records.at(-1);
  for (const bytes of [last?.key, last?.value]) {
    const answer = await fetch(`${url}/schemas/ids/${bytes?.readInt32BE(1)}`);
    expect(answer.status).toBe(200);
  }
  await until(() => service.output().includes(`${topic}: the registry does not know id`), "it is reported");
});
