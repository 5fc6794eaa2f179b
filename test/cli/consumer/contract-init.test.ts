import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { pino } from "pino";
import { startHttp } from "../../../src/http/start-http.ts";
import { fakeApi } from "../../http/fake-api.ts";
import { runHere } from "../in-process.ts";

const TOPIC = "inventory.public.customers";
const ENVELOPE = JSON.stringify({
  type: "record",
  name: "Envelope",
  namespace: TOPIC,
  fields: [
    {
      name: "after",
      type: [
        "null",
        {
          type: "record",
          name: "Value",
          fields: [
            { name: "id", type: "int" },
            { name: "zip", type: ["null", "string"], default: null },
          ],
        },
      ],
    },
  ],
});
const SUBJECTS: Readonly<Record<string, string>> = {
  [TOPIC]: ENVELOPE,
  "inventory.public.orders": ENVELOPE.replace(/zip/, "total"),
  plain: '"string"',
};

/** A registry with one version of each subject. */
const registry = createServer((request, response) => {
  const [, topic = "", number] = /^\/subjects\/(.+)-value\/versions(?:\/(\d+))?$/.exec(request.url ?? "") ?? [];
  const schema = SUBJECTS[topic];
  const [status, body] =
    schema === undefined
      ? [404, { error_code: 40401 }]
      : [200, number === undefined ? [1] : { id: 1, version: 1, schema }];
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
let url: string;
let folder: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
});
afterAll(() => void registry.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fieldgate-init-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function cli(args: string) {
  return runHere(args.split(" "), { cwd: folder, env: { FIELDGATE_REGISTRY_URL: url } });
}
const init = (rest: string) => cli(`contract init --topic ${TOPIC} --consumer billing ${rest}`);
const file = (name: string) => readFileSync(join(folder, name), "utf8");

describe("contract init", () => {
  it("lists the current columns for a client without a schema, and `check` accepts the file", async () => {
    const { code, out, err } = await init("--client connect-jdbc --env production");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toBe("wrote fieldgate.yaml\nnext: review the lines marked Assumed, then run `fieldgate check`\n");
    expect(file("fieldgate.yaml")).toMatch(/environment: production\n[^]*view: row\n[^]*- id\n {6}- zip\n/);
    expect(await cli("check")).toMatchObject({ code: 0, out: expect.stringMatching(/billing is ready/) });
  });

  it("leaves the environment open if only the registry is known, and takes the one in which the service publishes", async () => {
    expect(await init("--client connect-jdbc")).toMatchObject({ code: 0 });
    expect(file("fieldgate.yaml")).toContain("\n# environment: production\n");
    const api = fakeApi();
    const http = await startHttp(api, { host: "127.0.0.1", port: 0, token: undefined, log: pino({ level: "silent" }) });
    const flowing = [{ schemaId: 1, schema: ENVELOPE }];
    const orders = "inventory.public.orders";
    for (const topic of [TOPIC, orders])
      api.topics.set(topic, { topic, environment: "staging", flowing, withheld: [] });
    const served = (rest: string) =>
      runHere(`contract init --client connect-jdbc --force --topic ${TOPIC} ${rest}`.trim().split(" "), {
        cwd: folder,
        env: { FIELDGATE_URL: http.url },
      });
    for (const [rest, line] of [
      ["", "environment: staging"],
      [`--topic ${orders}`, "environment: staging"],
      ["--env test", "environment: test"],
    ] as const) {
      expect(await served(rest)).toMatchObject({ code: 0 });
      expect(file("fieldgate.yaml")).toContain(`\n${line}\n`);
    }
    api.topics.set(orders, { topic: orders, environment: "production", flowing, withheld: [] });
    expect(await served(`--topic ${orders}`)).toMatchObject({ code: 0 });
    expect(file("fieldgate.yaml")).toContain("\n# environment: production\n");
    await http.close();
  });

  it("says for kafkajs that its registry library decodes no event as its README shows it", async () => {
    const { code, out } = await init("--client kafkajs");
    expect([code, out]).toEqual([0, expect.stringMatching(/^wrote .*\nnext: .*\nnote: .*decodes no event/)]);
    expect(file("fieldgate.yaml")).toMatch(/typeHook: bigintLongs[^]*\n {4}longs: number\n/);
  });

  it("writes the current schema for a client that has one, unless the file exists", async () => {
    expect(await init("--client java-specific")).toMatchObject({ code: 0 });
    expect(JSON.parse(file(`${TOPIC}.avsc`))).toEqual(JSON.parse(ENVELOPE));
    expect(await cli("check")).toMatchObject({ code: 0 });
    writeFileSync(join(folder, "mine.avsc"), "{}");
    expect(await init("--client java-specific --schema mine.avsc --file other.yaml")).toMatchObject({ code: 0 });
    expect([file("mine.avsc"), file("other.yaml")]).toEqual(["{}", expect.stringContaining("schema: mine.avsc")]);
  });

  it("writes one file for several topics, each with its own columns or schema", async () => {
    const both = "--topic inventory.public.orders --topic inventory.public.customers";
    expect(await init(`${both} --client connect-jdbc`)).toMatchObject({ code: 0 });
    const yaml = file("fieldgate.yaml");
    expect(yaml.match(/- topic: .*/g)).toEqual([
      "- topic: inventory.public.customers",
      "- topic: inventory.public.orders",
    ]);
    expect(yaml).toMatch(/- zip\n[^]*- total\n/);
    expect(await cli("check")).toMatchObject({ code: 0 });
    const avro = await init(`${both} --client java-specific --force`);
    expect(avro.out).toMatch(/^wrote fieldgate.yaml\nwrote .*customers.avsc\nwrote .*orders.avsc\n/);
    expect(await cli("check")).toMatchObject({ code: 0 });
  });

  it("writes nothing if a file exists, unless forced", async () => {
    writeFileSync(join(folder, `${TOPIC}.avsc`), "mine");
    const { code, err } = await init("--client java-specific");
    expect([code, err]).toEqual([1, expect.stringMatching(/\[refused\] .*\.avsc already exists\n {2}next: .*--force/)]);
    expect(existsSync(join(folder, "fieldgate.yaml"))).toBe(false);
    expect(await init("--client java-specific --force")).toMatchObject({ code: 0 });
    expect(file(`${TOPIC}.avsc`)).not.toBe("mine");
  });

  it.each([
    [
      "a topic that the registry does not know",
      "--client s3 --topic no.such",
      /\[not-found\] the registry has no schema for no/,
    ],
    [
      "a second topic that the registry does not know",
      `--client s3 --topic ${TOPIC} --topic no.such`,
      /\[not-found\] the registry has no schema for no/,
    ],
    [
      "one schema for two topics",
      `--client java-specific --topic ${TOPIC} --topic inventory.public.orders --schema a.avsc`,
      /\[usage\] --schema names the schema of one topic/,
    ],
    ["no topic", "--client s3", /required option '--topic <topic>' not specified/],
    ["a topic without rows", "--client s3 --topic plain", /\[refused\] the schema of plain is not a Debezium envelope/],
    ["a topic that is a path", "--client s3 --topic ../../etc/passwd", /\[usage\] the topic ".*" must be letters/],
    ["a consumer that is a path", `--client s3 --topic ${TOPIC} --consumer ..`, /\[usage\] the consumer ".." must be/],
    ["an unknown client", `--client cobol --topic ${TOPIC}`, /Allowed choices are java-specific, .*ksqldb/],
    ["a folder that is a file", `--client s3 --topic ${TOPIC} --file there/f.yaml`, /\[usage\] .*cannot be written/],
  ])("%s exits 1 with one message and writes nothing", async (_, args, message) => {
    writeFileSync(join(folder, "there"), "");
    const { code, out, err } = await cli(`contract init ${args.includes("--consumer") ? "" : "--consumer c "}${args}`);
    expect([code, out, err]).toEqual([1, "", expect.stringMatching(message)]);
    expect(err).not.toMatch(/^\s+at /m);
    expect(readdirSync(folder)).toEqual(["there"]);
  });
});
