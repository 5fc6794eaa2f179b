import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { environmentAddresses } from "../../local/environment.ts";
import { startStack } from "../../local/stack.ts";

afterEach(() => vi.unstubAllEnvs());

/** A PATH that has only these shell scripts. */
async function toolsOnly(scripts: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-tools-"));
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  vi.stubEnv("PATH", folder);
  vi.stubEnv("JAVA_HOME", "");
  vi.stubEnv("FIELDGATE_STACK", "local");
  vi.stubEnv("FIELDGATE_CACHE", join(folder, "cache"));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const WAYS_ON = /install Maven and a JDK, 17 or later[^]*FIELDGATE_STACK=env[^]*docker compose/;
const JAVA_17 = `echo 'openjdk version "17.0.15" 2025-04-15' >&2`;

test.each([
  ["no java", {}, "requires a JDK (no working `java` found)"],
  [
    "an old java",
    { java: `echo 'openjdk version "11.0.2" 2019-01-15' >&2` },
    "requires a JDK, 17 or later (`java` is version 11)",
  ],
  ["the placeholder java of macOS", { java: "exit 1" }, "requires a JDK (no working `java` found)"],
  ["no Maven", { java: JAVA_17 }, "requires `mvn`"],
])("with %s, one message lists the alternatives", async (_what, scripts, message) => {
  await using _tools = await toolsOnly(scripts);
  const failure = await startStack({ postgres: false }).catch((error: unknown) => String(error));
  expect(failure).toContain(message);
  expect(failure).toMatch(WAYS_ON);
});

test("with FIELDGATE_STACK=env, the addresses come from the environment and no server is started", async () => {
  vi.stubEnv("FIELDGATE_STACK", "env");
  vi.stubEnv("FIELDGATE_PG_URL", "postgres://me:p%40ss@db.example:6432/shop");
  vi.stubEnv("FIELDGATE_KAFKA_BROKERS", "a:9092,b:9092");
  vi.stubEnv("FIELDGATE_REGISTRY_URL", "http://registry.example/apis/ccompat/v7/");
  await using stack = await startStack();
  expect(stack.postgres).toStrictEqual({
    host: "db.example",
    port: 6432,
    user: "me",
    password: "p@ss",
    database: "shop",
  });
  expect(stack.kafka.brokers).toStrictEqual(["a:9092", "b:9092"]);
  expect(stack.registry.url).toBe("http://registry.example/apis/ccompat/v7");
  expect(stack.pids).toStrictEqual({});
});

test("a variable that is missing from the environment is named", () => {
  vi.stubEnv("FIELDGATE_PG_URL", "");
  expect(environmentAddresses).toThrow("FIELDGATE_STACK=env requires FIELDGATE_PG_URL");
});

test("an unknown FIELDGATE_STACK is refused", async () => {
  vi.stubEnv("FIELDGATE_STACK", "docker");
  await expect(startStack()).rejects.toThrow("FIELDGATE_STACK must be local, containers or env, not docker");
});
