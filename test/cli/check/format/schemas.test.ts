import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { canReleaseSchema, parkedSchema, rulesSchema } from "../../../../src/cli/json-output.ts";
import { amendmentSchema, amendmentsSchema } from "../../../../src/api/amendment.ts";
import { planSchema } from "../../../../src/api/plan.ts";
import { type HttpServer, startHttp } from "../../../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../../../http/fake-api.ts";
import { runHere } from "../../in-process.ts";

const TOKEN = "a-token-of-some-length";

let api: FakeApi;
let http: HttpServer;
beforeAll(async () => {
  api = fakeApi();
  const parked = {
    code: "value-unfit",
    what: "it does not fit",
    next: null,
    changes: 2,
    since: "2026-11-20T08:00:00Z",
  };
  const table = { table: "public.orders", topic: "inventory.public.orders", schemaId: 1, fields: [], withheld: [] };
  const tables = [{ ...table, parked }];
  const view = { name: "inventory", mode: "guard", status: "streaming", tables } as const;
  api.connectors = async () => [{ ...view, chunks: [], notCaptured: [], warnings: [] }];
  const { connector, mode, topic, field, what, meanwhile, verdicts } = amendment;
  const planned = { connector, mode, topic, table: "public.customers", field, lines: [1], what, meanwhile, verdicts };
  api.plans = {
    amendments: [{ ...planned, flows: false, stops: false, why: "billing is not ready", schema: null }],
    notes: [{ line: 2, table: null, message: "not analysed: a DO block", kind: "unknown" }],
  };
  http = await startHttp(api, { host: "127.0.0.1", port: 0, token: TOKEN, log: pino({ level: "silent" }) });
});
afterAll(() => http.close());

describe.each<[string, z.ZodType, string]>([
  ["amendments", amendmentsSchema, "amendments"],
  ["parked", parkedSchema, "amendments --parked"],
  ["amendment", amendmentSchema, `amendments show ${amendment.id}`],
  ["can-i-release", canReleaseSchema, `can-i-release ${amendment.id}`],
  ["plan", planSchema, "plan -"],
  ["rules", rulesSchema, "rules"],
])("schemas/%s.schema.json", (name, schema, command) => {
  const file = z.toJSONSchema(schema);
  it("is generated from the type's schema", async () => {
    await expect(`${JSON.stringify(file, null, 2)}\n`).toMatchFileSnapshot(`../../../../schemas/${name}.schema.json`);
  });
  it(`describes the output of ${command} --format json`, async () => {
    const env = { FIELDGATE_URL: http.url, FIELDGATE_TOKEN: TOKEN };
    const { out, err } = await runHere([...command.split(" "), "--format", "json"], { env, input: "select 1" });
    if (name !== "amendments") expect(err).toBe("");
    expect(schema.safeParse(JSON.parse(out)).error).toBeUndefined();
    expect(z.fromJSONSchema(file).safeParse(JSON.parse(out)).error).toBeUndefined();
  });
});
