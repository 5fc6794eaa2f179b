import type { ConnectorConfig } from "../../config/connector/connector-config.ts";
import { GuardError } from "../../errors.ts";
import type { PostgresOptions } from "../../postgres/connection.ts";
import type { TlsSettings } from "../../postgres/tls.ts";
import { databaseLogin } from "../../service/database-login.ts";
import type { Terminal } from "../command.ts";

/**
 * Which database the `trigger` commands log in to, and as which user: from --url, a connector file or libpq's
 * environment variables.
 */

export interface Login {
  readonly options: PostgresOptions;
  readonly tls: TlsSettings;
}

const HOW =
  "--connector connectors/inventory.json, --url postgres://owner@host:5432/database, or PGHOST, PGUSER, PGDATABASE";

/**
 * --url takes precedence over the connector's database, whose user PGUSER and PGPASSWORD replace. The connector's
 * database takes precedence over libpq's variables. Throws `usage` if none of them names a database, or if --url is
 * invalid.
 */
export function readLogin(
  url: string | undefined,
  connector: ConnectorConfig | undefined,
  env: Terminal["env"],
): Login {
  if (url !== undefined) return urlLogin(url, env);
  if (connector !== undefined) return connectorLogin(connector, env);
  const { PGHOST: host, PGUSER: user } = env;
  if (host === undefined || user === undefined) {
    throw new GuardError("usage", "no database was given", { next: HOW });
  }
  return {
    options: {
      host,
      port: readPort(env["PGPORT"]),
      user,
      password: env["PGPASSWORD"],
      database: env["PGDATABASE"] ?? user,
    },
    tls: readTls((key) => env[`PG${key.toUpperCase()}`]),
  };
}

function connectorLogin(connector: ConnectorConfig, env: Terminal["env"]): Login {
  const { options, tls } = databaseLogin(connector);
  const { host, port, database } = options;
  const { PGUSER: owner } = env;
  const { user, password } = owner === undefined ? options : { user: owner, password: env["PGPASSWORD"] };
  return { options: { host, port, user, password, database }, tls };
}

function urlLogin(text: string, env: Terminal["env"]): Login {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === "" || url.username === "") {
    throw new GuardError("usage", "--url is not a postgres:// address with a host and a user", {
      next: "e.g. postgres://owner@db.example.com:5432/inventory, with the password in PGPASSWORD",
    });
  }
  const user = decodeURIComponent(url.username);
  const password = url.password === "" ? env["PGPASSWORD"] : decodeURIComponent(url.password);
  const database = decodeURIComponent(url.pathname.slice(1)) || user;
  // URLs put IPv6 addresses in brackets.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    options: { host, port: readPort(url.port), user, password, database },
    tls: readTls((key) => url.searchParams.get(key) ?? undefined),
  };
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === "") return 5432;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new GuardError("usage", "the port is not a number from 1 to 65535", { next: "e.g. 5432" });
}

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

/** Reads libpq's TLS parameters. `parameter` looks up `sslmode`, `sslrootcert` and so on. */
function readTls(parameter: (key: string) => string | undefined): TlsSettings {
  const text = parameter("sslmode") ?? "prefer";
  const mode = MODES.find((one) => one === text);
  if (mode === undefined)
    throw new GuardError("usage", "sslmode is not one of libpq's modes", { next: `use one of ${MODES.join(", ")}` });
  return {
    mode,
    rootCert: parameter("sslrootcert"),
    cert: parameter("sslcert"),
    key: parameter("sslkey"),
    password: parameter("sslpassword"),
  };
}
