import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AmendmentView } from "../../src/api/amendment.ts";
import type { ConnectorView } from "../../src/api/api.ts";
import type { Addresses } from "../environment.ts";
import type { PostgresAddress } from "../postgres.ts";
import { freePort } from "../ports.ts";
import type { Supervisor } from "../supervisor.ts";
import { type Program, launch } from "./program.ts";

/** Fieldgate in the demo: its connector file, its environment, and the HTTP answers that the story checks. */

export const CLI = join(import.meta.dirname, "../../src/cli.ts");
type Policy = "observe" | "contracts";

/** Fieldgate as a separate process, and its answers over HTTP. */
export interface Service {
  readonly url: string;
  readonly token: string;
  /** Its connector file. */
  readonly file: string;
  /** Writes the connector file with this policy and starts the service, also after it was stopped. */
  start(policy: Policy): Promise<Program>;
  connector(): Promise<ConnectorView>;
  amendment(field: string): Promise<AmendmentView | undefined>;
}

interface ServiceSetting {
  readonly supervisor: Supervisor;
  readonly folder: string;
  readonly stack: Addresses;
  readonly database: PostgresAddress;
  /** The name of the connector and the deployment, and the prefix of the topics. */
  readonly name: string;
  readonly token: string;
  readonly slackUrl: string;
}

/** What an operator would write into `connectors/shop.json`. */
function connectorFile({ database, name }: ServiceSetting, policy: Policy): object {
  return {
    name,
    "database.hostname": database.host,
    "database.port": database.port,
    "database.user": database.user,
    "database.password": "${env:SHOP_PASSWORD}",
    "database.dbname": database.database,
    "topic.prefix": name,
    "table.include.list": "public.customers",
    "fieldgate.environment": "production",
    "fieldgate.release.policy": policy,
  };
}

function environment(setting: ServiceSetting, port: number): Record<string, string> {
  const { stack, folder, name, token, slackUrl, database } = setting;
  return {
    FIELDGATE_KAFKA_BROKERS: stack.kafka.brokers.join(","),
    FIELDGATE_REGISTRY_URL: stack.registry.url,
    FIELDGATE_DEPLOYMENT: name,
    FIELDGATE_CONNECTORS: folder,
    FIELDGATE_HTTP_HOST: "127.0.0.1",
    FIELDGATE_HTTP_PORT: String(port),
    FIELDGATE_TOKEN: token,
    FIELDGATE_SLACK_WEBHOOK_URL: slackUrl,
    FIELDGATE_LOG_LEVEL: "info",
    SHOP_PASSWORD: database.password,
  };
}

export async function createService(setting: ServiceSetting): Promise<Service> {
  const { token, supervisor, folder } = setting;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(folder, "shop.json");
  async function ask<T>(path: string): Promise<T> {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.json()) as T; // the service's answers have these types
  }
  return {
    url,
    token,
    file,
    async start(policy) {
      await writeFile(file, `${JSON.stringify(connectorFile(setting, policy), null, 2)}\n`);
      return launch(supervisor, "fieldgate", {
        script: CLI,
        args: ["run"],
        cwd: folder,
        env: environment(setting, port),
      });
    },
    async connector() {
      const [connector] = await ask<ConnectorView[]>("/v1/connectors");
      if (connector === undefined) throw new Error("the service has no connector yet");
      return connector;
    },
    amendment: async (field) => (await ask<AmendmentView[]>("/v1/amendments")).find((one) => one.field === field),
  };
}
