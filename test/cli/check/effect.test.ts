import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type HttpServer, startHttp } from "../../../src/http/start-http.ts";
import { amendment, type FakeApi, fakeApi } from "../../http/fake-api.ts";
import { runHere } from "../in-process.ts";

const TOKEN = "a-token-of-some-length";

let api: FakeApi;
let http: HttpServer;
beforeAll(async () => {
  api = fakeApi();
  const [verdict] = amendment.verdicts;
  if (verdict === undefined) throw new Error("no verdict");
  const found = { rule: "avro/type-mismatch", severity: "error", certainty: "on-some-data", effect: "throws" } as const;
  const verdicts = [{ ...verdict, findings: [{ ...found, message: "the reader expects int" }] }];
  const { connector, topic, field, what, meanwhile } = amendment;
  const planned = {
    connector,
    mode: "guard" as const,
    topic,
    table: "public.customers",
    field,
    lines: [1],
    what,
    meanwhile,
    verdicts,
  };
  api.plans = {
    amendments: [{ ...planned, flows: false, stops: false, why: "billing is not ready", schema: null }],
    notes: [],
  };
  api.changes = [{ verdicts }];
  http = await startHttp(api, { host: "127.0.0.1", port: 0, token: TOKEN, log: pino({ level: "silent" }) });
});
afterAll(() => http.close());

it.each([
  `can-i-release ${amendment.id}`,
  `can-i-release ${amendment.id} --format markdown`,
  `amendments show ${amendment.id}`,
  "plan -",
  "plan - --format markdown",
])("%s says once what happens when an event is read", async (command) => {
  const env = { FIELDGATE_URL: http.url, FIELDGATE_TOKEN: TOKEN };
  const { out, err } = await runHere(command.split(" "), { env, input: "select 1" });
  expect(err).toBe("");
  expect(out.split("the reader expects int; the decoder throws on some data").length - 1).toBe(1);
});
