import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { OID } from "../../../src/event/types/table.ts";
import { envelopeSchema } from "../../../src/event/envelope/schema.ts";
import type { AmendmentView } from "../../../src/api/amendment.ts";
import { type HttpServer, startHttp } from "../../../src/http/start-http.ts";
import { field } from "../../event/row.ts";
import { amendment, type FakeApi, fakeApi } from "../../http/fake-api.ts";
import { runHere } from "../in-process.ts";

const TOPIC = amendment.topic;
const NAME = `${TOPIC}.nickname`;
const ID = field({ name: "id", oid: OID.int8, notNull: true }, 0);
const schema = (name: string, defaultExpr?: string) =>
  JSON.stringify(envelopeSchema(TOPIC, [ID, field({ name, oid: OID.text, defaultExpr }, 1)]));
const ADDED: Partial<AmendmentView> = { candidate: { schema: schema("nickname") } };

let api: FakeApi;
let http: HttpServer;
let folder: string;
beforeAll(async () => {
  api = fakeApi();
  http = await startHttp(api, { host: "127.0.0.1", port: 0, token: undefined, log: pino({ level: "silent" }) });
});
afterAll(() => http.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fieldgate-sample-"));
  api.changes = [ADDED];
});
afterEach(() => rmSync(folder, { recursive: true }));

const sample = (out = "events", id = NAME) =>
  runHere(["sample", id, "--out", out], { cwd: folder, env: { FIELDGATE_URL: http.url } });
const at = (...path: readonly string[]) => join(folder, ...path);
const files = () => readdirSync(at("events")).toSorted((a, b) => a.localeCompare(b));

describe("sample", () => {
  it("creates the folder and writes the schema and the events as Avro and JSON, always the same bytes", async () => {
    const first = await sample("events/new");
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(first.out).toMatch(
      /^(wrote events\/new\/inventory\.public\.customers\.nickname\.(avsc|avro|json)\n){3}next: /,
    );
    const names = [`${NAME}.avro`, `${NAME}.avsc`, `${NAME}.json`];
    const read = () => names.map((name) => readFileSync(at("events/new", name)));
    const [avro, avsc, json] = read();
    expect(JSON.parse(String(avsc))).toEqual(JSON.parse(ADDED.candidate?.schema ?? ""));
    expect(JSON.parse(String(json))).toContainEqual(
      expect.objectContaining({ op: "c", after: { id: 2, nickname: "nickname 1" } }),
    );
    expect(avro?.subarray(0, 4)).toEqual(Buffer.from("Obj\u0001"));
    expect((await sample("events/new", amendment.id)).code).toBe(0);
    expect(read()).toEqual([avro, avsc, json]);
  });

  it("takes several amendments, each with files of its own name", async () => {
    api.changes = [ADDED, { field: "zip", candidate: { schema: schema("zip") }, column: null }];
    const { code } = await runHere(["sample", NAME, amendment.id, "--out", "events"], {
      cwd: folder,
      env: { FIELDGATE_URL: http.url },
    });
    expect([code, files().map((file) => file.slice(TOPIC.length + 1))]).toEqual([
      0,
      ["nickname.avro", "nickname.avsc", "nickname.json", "zip.avro", "zip.avsc", "zip.json"],
    ]);
    api.changes = [ADDED];
    const same = await runHere(["sample", NAME, amendment.id, "--out", "new"], {
      cwd: folder,
      env: { FIELDGATE_URL: http.url },
    });
    expect([same.code, existsSync(at("new"))]).toEqual([1, false]);
  });

  it("overwrites its own files when the candidate has changed, but no other files", async () => {
    expect((await sample()).code).toBe(0);
    api.changes = [{ candidate: { schema: schema("nickname", "'none'::text") } }];
    writeFileSync(at("events", `${NAME}.json`), "edited");
    expect((await sample()).code).toBe(0);
    expect(JSON.parse(readFileSync(at("events", `${NAME}.json`), "utf8"))).toHaveLength(10);
    rmSync(at("events", `${NAME}.avro`));
    writeFileSync(at("events", `${NAME}.json`), "mine");
    const { code, err } = await sample();
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/\[refused\] events\/.*nickname\.json already exists and is not from an earlier/),
    ]);
    expect(readFileSync(at("events", `${NAME}.json`), "utf8")).toBe("mine");
    expect(existsSync(at("events", `${NAME}.avro`))).toBe(false);
  });

  it("writes through no link, even if it leads to no file yet", async () => {
    expect((await sample()).code).toBe(0);
    rmSync(at("events", `${NAME}.json`));
    symlinkSync(at("elsewhere.json"), at("events", `${NAME}.json`));
    const { code, err } = await sample();
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/\[refused\] events\/.*json is a link to a different place/),
    ]);
    expect(existsSync(at("elsewhere.json"))).toBe(false);
  });

  it("has the new field of a renamed column, and the schema without a dropped one", async () => {
    api.changes = [
      {
        candidate: { schema: schema("alias") },
        column: { name: "alias", type: "text", notNull: false, default: null },
      },
    ];
    await sample();
    expect(files()).toContain(`${TOPIC}.alias.avro`);
    api.changes = [
      { candidate: { schema: JSON.stringify(envelopeSchema(TOPIC, [ID])) }, kind: "dropped", column: null },
    ];
    expect((await sample()).code).toBe(0);
    expect(files()).toContain(`${NAME}.avro`);
  });

  it.each<[string, Partial<AmendmentView>, RegExp]>([
    [
      "without a candidate",
      { candidate: null, refused: null },
      /\[refused\] \S+ has no schema to make events from: billing is not ready\n {2}next: /,
    ],
    [
      "of a key",
      { candidate: { schema: '{"type":"record","name":"Key","fields":[]}' } },
      /\[refused\] the schema of \S+ is for the topic's keys/,
    ],
    [
      "whose name is a path",
      { ...ADDED, topic: "../outside" },
      /\[refused\] "\.\.\/outside\.nickname" is not a valid file name/,
    ],
  ])("an amendment %s is refused and nothing is written", async (_, change, message) => {
    api.changes = [change];
    const { code, out, err } = await sample();
    expect([code, out, err]).toEqual([1, "", expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("a folder that is a file, an unknown amendment and a missing --out exit 1", async () => {
    writeFileSync(at("events"), "");
    expect(await sample()).toMatchObject({ code: 1, err: expect.stringMatching(/\[usage\] .* cannot be written: /) });
    expect(await sample("x", "nobody")).toMatchObject({ code: 1, err: expect.stringContaining("[not-found]") });
    expect((await runHere(["sample", NAME], { cwd: folder })).code).toBe(1);
  });
});
