import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until } from "../stack/until.ts";
import { captureTable, type World } from "./world.ts";

const CLI = join(import.meta.dirname, "../../src/cli.ts");

it("a plan names consumers that are not ready before the migration runs, and registers nothing", async () => {
  await using world = await captureTable();
  const { database, service, topic } = world;
  const contract = { consumer: "billing", topic, decodesWith: "writer", unknownFields: "reject", fields: ["id", "a"] };
  await service.publishContract(contract);
  const free = await plan(world, "alter table public.t alter column a set default 'x';");
  expect([free.code, free.out]).toEqual([0, expect.stringContaining("default")]);
  const { code, out } = await plan(world, "alter table public.t add column nick text, drop column a;");
  expect([code, out]).toEqual([100, expect.stringContaining("billing")]);
  expect(out).toMatch(/nick/);
  expect(await service.amendments()).toEqual([]);
  await database.query("alter table t add column nick text, drop column a; insert into t values (2, 'deuce')");
  await until(async () => {
    const { verdicts } = await service.amendment("nick", "withheld");
    return verdicts.some(({ consumer, verdict }) => consumer === "billing" && verdict === "not-ready");
  }, "the amendment agrees with the plan");
});

async function plan({ service }: World, sql: string): Promise<{ readonly code: number; readonly out: string }> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-plan-"));
  await writeFile(join(folder, "m.sql"), sql);
  const env = { ...process.env, FIELDGATE_URL: service.url, FIELDGATE_TOKEN: service.token };
  const result = await new Promise<{ code: number; out: string }>((resolve) => {
    execFile(process.execPath, [CLI, "plan", join(folder, "m.sql")], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out: stdout + stderr }),
    );
  });
  await rm(folder, { recursive: true, force: true });
  return result;
}
