import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { missingTool } from "../../local/java.ts";
import { readConnectors } from "../../src/config.ts";

const ROOT = join(import.meta.dirname, "../..");

interface Service {
  readonly image?: string;
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

async function services(): Promise<Readonly<Record<string, Service>>> {
  return parse(await readFile(join(ROOT, "docker-compose.yml"), "utf8")).services;
}

test("every service another waits for is there", async () => {
  const all = await services();
  const awaited = Object.values(all).flatMap((service) => Object.keys(service.depends_on ?? {}));
  expect(Object.keys(all)).toEqual(expect.arrayContaining(awaited));
});

test("the containers run the versions the local stack runs", async () => {
  const all = await services();
  const pom = await readFile(join(ROOT, "local/pom.xml"), "utf8");
  const versionOf = (artifact: string) =>
    new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>([^<]+)`).exec(pom)?.[1];
  expect(all["kafka"]?.image).toBe(`apache/kafka:${versionOf("kafka_2.13")}`);
  expect(all["registry"]?.image).toBe(`apicurio/apicurio-registry:${versionOf("apicurio-registry-app")}`);
});

test("the services the missing tool's message names are there", async () => {
  const named = /docker compose up -d ([a-z -]+)`/.exec(missingTool("a JDK").message)?.[1]?.split(" ") ?? [];
  expect(named.length).toBeGreaterThan(2);
  expect(Object.keys(await services())).toEqual(expect.arrayContaining(named));
});

test("the connector file of the containers is valid", async () => {
  const folder = join(ROOT, "local/compose/connectors");
  const [connector] = await readConnectors(folder, (name) => (name === "INVENTORY_PASSWORD" ? "x" : undefined));
  expect(connector?.database.hostname).toBe("postgres");
});
