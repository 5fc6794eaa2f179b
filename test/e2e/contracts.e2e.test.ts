import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Contract } from "../../src/contract/contract.ts";
import type { TopicView } from "../../src/api/api.ts";
import { runCli } from "../cli/run-cli.ts";
import { until } from "../stack/until.ts";
import type { Service } from "./service.ts";
import { captureTable } from "./world.ts";

it("a contract that is rolling out counts with the deployed one until the next publish; a retired one does not count", async () => {
  await using world = await captureTable();
  const { database, service, events, topic } = world;
  const deployed = { version: 1, environment: "default", consumer: "billing", topic, decodesWith: "writer" };
  const old = { ...deployed, unknownFields: "reject", fields: ["id", "a"] };
  const next = { ...old, fields: ["id", "a", "nick"] };
  const contracts = () => service.get<readonly Contract[]>("/v1/contracts");
  await service.publishContract(old);
  expect((await service.send("POST", "/v1/contracts/rolling-out", next)).status).toBeLessThan(300);
  await until(async () => (await contracts()).length === 2, "both contracts are known");
  await database.query("alter table t add column nick text; insert into t values (2, 'two', 'deuce')");
  const { verdicts } = await service.amendment("nick", "withheld");
  expect(verdicts.map(({ verdict }) => verdict).toSorted((x, y) => x.localeCompare(y))).toEqual(["not-ready", "ready"]);
  const sample = await readSample(service, `${topic}.nick`);
  expect(sample.events).toContainEqual(
    expect.objectContaining({ op: "c", after: { id: 2, a: "a 2", nick: "nick 1" } }),
  );
  await service.publishContract(next);
  await service.amendment("nick", "released");
  await until(async () => (await contracts()).length === 1, "the plain publish replaces both");
  await service.idle();
  await events.until(
    (seen) => seen.some(({ after }) => after?.["nick"] === "deuce"),
    "the value written while it was withheld",
  );
  const { flowing } = await service.get<TopicView>(`/v1/topics/${topic}`);
  expect(JSON.parse(flowing.at(-1)?.schema ?? "")).toEqual(sample.schema);
  const names = { environment: "default", consumer: "billing", topic };
  const retired = await service.send("POST", "/v1/contracts/retire", names);
  expect(retired).toMatchObject({ status: 202 });
  await until(async () => (await contracts()).length === 0, "there are no contracts any longer");
});

it("publish --tested releases a field that the contract rejects, unless the field's type has changed since", async () => {
  await using world = await captureTable();
  const { database, service, events, topic } = world;
  const cwd = await mkdtemp(join(tmpdir(), "fieldgate-tested-"));
  const env = { FIELDGATE_URL: service.url, FIELDGATE_TOKEN: service.token };
  const publish = (...args: readonly string[]) => runCli(["publish", ...args], { cwd, env });
  try {
    const contract = "decodes-with: writer, unknown-fields: reject, fields: [id, a]";
    const file = `version: 1\nconsumer: billing\ntopics:\n  - { topic: ${topic}, ${contract} }\n`;
    await writeFile(join(cwd, "fieldgate.yaml"), file);
    expect(await publish()).toMatchObject({ code: 0 });
    await database.query("alter table t add column nick int; insert into t (id, nick) values (2, 7)");
    await service.amendment("nick", "withheld");
    const verdictsAre = (type: string, ...wanted: readonly string[]) =>
      until(async () => {
        const { column, verdicts } = await service.amendment("nick", "withheld");
        const now = verdicts.map(({ verdict }) => verdict).toSorted((x, y) => x.localeCompare(y));
        return column?.type === type && now.join() === wanted.join();
      }, `the verdicts for type ${type} are ${wanted.join()}`);
    await publish("--rolling-out", "--tested", `${topic}.nick`);
    await verdictsAre("integer", "not-ready", "ready");
    await database.query("alter table t alter column nick type text; insert into t (id, nick) values (3, 'seven')");
    await verdictsAre("text", "not-ready", "not-ready");
    const { id } = await service.amendment("nick", "withheld");
    expect((await publish("--tested", id)).out).toMatch(/; tested with nick\n/);
    await service.amendment("nick", "released");
    await events.until(
      (seen) => seen.some(({ after }) => after?.["nick"] === "seven"),
      "the value written while it was withheld",
    );
    expect(await publish("--tested", id)).toMatchObject({
      code: 1,
      err: expect.stringContaining("is already in the events"),
    });
  } finally {
    await rm(cwd, { recursive: true });
  }
});

/** Runs `fieldgate sample` and reads the files. */
async function readSample(
  service: Service,
  id: string,
): Promise<{ readonly schema: unknown; readonly events: unknown }> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-sample-"));
  try {
    const env = { FIELDGATE_URL: service.url, FIELDGATE_TOKEN: service.token };
    expect(await runCli(["sample", id, "--out", folder], { env })).toMatchObject({ code: 0, err: "" });
    const read = async (ending: string): Promise<unknown> =>
      JSON.parse(await readFile(join(folder, `${id}.${ending}`), "utf8"));
    return { schema: await read("avsc"), events: await read("json") };
  } finally {
    await rm(folder, { recursive: true });
  }
}
