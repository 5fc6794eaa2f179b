import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import { readConstants, readPlanCatalog } from "../postgres/plan-database.ts";
import { connectFirst } from "../postgres/tls.ts";
import { databaseLogin } from "./database-login.ts";
import type { PlanDatabase } from "./plan.ts";

/** Opens a session of its own for one plan, so that it neither waits for the connector's sessions nor delays them. */
export async function openPlanDatabase(config: ConnectorConfig): Promise<PlanDatabase> {
  const { options, tls } = databaseLogin(config);
  const limited = {
    ...options,
    connectTimeoutMs: Math.min(options.connectTimeoutMs ?? LIMIT_MS, LIMIT_MS),
    queryTimeoutMs: LIMIT_MS,
  };
  const { client } = await connectFirst(limited, tls, { applicationName: `fieldgate ${config.name} plan` });
  return {
    catalog: (asked) => readPlanCatalog(client, asked),
    constants: (literals) => readConstants(client, literals),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** For connecting, and for each query. */
const LIMIT_MS = 5_000;
