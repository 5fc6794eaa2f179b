import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { freePort } from "../../local/ports.ts";
import { runCli } from "../cli/run-cli.ts";
import { readEvents } from "../e2e/events.ts";
import { freshDatabase } from "../stack/database.ts";
import { servers } from "../stack/servers.ts";
import { uniquePrefix } from "../stack/topic.ts";
import { until } from "../stack/until.ts";

/**
 * Follows the README as a new user does, with its own texts: the administrator's SQL, the connector file, the contract
 * and the commands. Only what names a place is replaced: the servers' addresses, and the names that must be unique on
 * servers that tests share.
 */

const README = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

/** The README's blocks in this language, in which `inventory` and the role `fieldgate` have names of their own. */
function blocks(language: string, name: string): readonly string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) =>
    text
      .replaceAll("inventory", name)
      .replaceAll(/(ROLE|TO) fieldgate\b/g, `$1 ${name}`)
      .replaceAll("'…'", "'secret'"),
  );
}

/** The arguments of the README's command that begins like this. */
function commandOf(beginning: string, name: string): readonly string[] {
  const lines = blocks("sh", name).flatMap((block) => block.split("\n"));
  const line = lines.find((one) => one.startsWith(`npx fieldgate ${beginning}`));
  if (line === undefined) throw new Error(`the README has no command fieldgate ${beginning}`);
  return line
    .replace(/ +#.*$/, "")
    .split(/ +/)
    .slice(2);
}

it("whoever follows the README with a role of least privilege is protected: the new field is withheld", async () => {
  const name = uniquePrefix();
  const topic = `${name}.public.customers`;
  await using database = await freshDatabase();
  await using cleanUp = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "fieldgate-readme-"));
  cleanUp.defer(() => rmSync(folder, { recursive: true }));
  await database.query(`create table customers (id int primary key, name text not null, zip text);
    create table orders (id int primary key, customer int);
    insert into customers values (1, 'Anna', '10115')`);

  const [rights = "", addColumn = ""] = blocks("sql", name);
  await database.query(rights);
  cleanUp.defer(async () => {
    await database.query(`drop owned by ${name}; drop role ${name}`);
  });
  const { host, port, database: dbname } = database.address;
  mkdirSync(join(folder, "connectors"));
  const connector = JSON.parse(blocks("json", name)[0] ?? "") as object; // the block is a JSON object
  const place = { "database.hostname": host, "database.port": port, "database.user": name, "database.dbname": dbname };
  writeFileSync(join(folder, "connectors/inventory.json"), JSON.stringify({ ...connector, ...place }));

  const httpPort = await freePort();
  const env = {
    FIELDGATE_KAFKA_BROKERS: servers.kafka.brokers.join(","),
    FIELDGATE_REGISTRY_URL: servers.registry.url,
    INVENTORY_PASSWORD: "secret",
    FIELDGATE_DEPLOYMENT: name,
    FIELDGATE_HTTP_PORT: String(httpPort),
    FIELDGATE_URL: `http://127.0.0.1:${httpPort}`,
    FIELDGATE_TOKEN: "a-token-for-the-readme",
  };
  const billing = join(folder, "billing");
  mkdirSync(billing);
  const fieldgate = (beginning: string, cwd = billing) => runCli(commandOf(beginning, name), { env, cwd });

  const service = await runCli(commandOf("run", name), {
    env,
    cwd: folder,
    async interruptWhen(printed) {
      await until(
        async () => {
          const answer = await fetch(`${env.FIELDGATE_URL}/health/ready`).catch(() => undefined);
          return answer?.ok;
        },
        "the service streams",
        60_000,
      ).catch((cause: unknown) => {
        throw new Error(printed(), { cause });
      });

      expect(await fieldgate("contract init")).toMatchObject({ code: 0 });
      // The file's comment gives the consumer the lines with which the library can read Debezium's longs.
      expect(await fieldgate("check")).toMatchObject({ code: 100, out: expect.stringContaining("longs") });
      const file = join(billing, "fieldgate.yaml");
      writeFileSync(file, readFileSync(file, "utf8").replace("longs: number", "longs: bigint"));
      expect(await fieldgate("check")).toMatchObject({ code: 0 });
      expect(await fieldgate("publish --env production")).toMatchObject({ code: 0, err: "" });

      await database.query(addColumn);
      await database.query("insert into customers values (2, 'Berta', '20095', 'Bee')");
      await using events = readEvents([topic]);
      const before = await events.until((so) => so.some(({ after }) => after?.["id"] === 2), "the row has come");
      expect(before.map(({ after }) => Object.keys(after ?? {}))).toEqual([
        ["id", "name", "zip"],
        ["id", "name", "zip"],
      ]);
      const [, expected = ""] = /^ {2}gate {7}(.*)$/m.exec(blocks("console", name)[0] ?? "") ?? [];
      const amendment = await fieldgate("amendments show");
      expect(amendment).toMatchObject({ code: 0, err: "" });
      const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/;
      expect(amendment.out.replace(time, "")).toContain(expected.replace(time, ""));
      expect(await fieldgate("release")).toMatchObject({ code: 100 });
      const waiting = fieldgate("can-i-release");
      expect(await fieldgate("sample")).toMatchObject({ code: 0 });

      expect(await fieldgate("publish --env production --tested")).toMatchObject({ code: 0 });
      await events.until(
        (so) => so.some(({ after }) => after?.["id"] === 2 && after["nickname"] === "Bee"),
        "the value that was withheld is published again",
      );
      expect(await waiting).toMatchObject({ code: 0 });
      expect(await fieldgate("retire")).toMatchObject({ code: 0 });
    },
  });
  expect(service.code).toBe(0);
});
