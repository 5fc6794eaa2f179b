import type { ConnectorConfig } from "../../config/connectors.ts";
import { GuardError } from "../../errors.ts";
import type { PostgresOptions } from "../../postgres/connection.ts";
import type { TlsSettings } from "../../postgres/tls.ts";
import { databaseLogin } from "../../service/database-login.ts";
import type { Terminal } from "../command.ts";

/** Into which database, and as whom. */
export interface Login {
  readonly options: PostgresOptions;
  readonly tls: TlsSettings;
}

const HOW =
  "--connector connectors/inventory.json, --url postgres://owner@host:5432/database, or PGHOST, PGUSER, PGDATABASE";

/**
 * The address given; else the connector's database, with PGUSER's login if there is one; else what libpq's variables
 * say. Throws `usage` when none says which database, or the address is none.
 */
export function loginOf(url: string | undefined, connector: ConnectorConfig | undefined, env: Terminal["env"]): Login {
  if (url !== undefined) return ofUrl(url, env);
  if (connector !== undefined) return ofConnector(connector, env);
  const { PGHOST: host, PGUSER: user } = env;
  if (host === undefined || user === undefined) {
    throw new GuardError("usage", "it is not said which database", { next: HOW });
  }
  return {
    options: {
      host,
      port: portOf(env["PGPORT"]),
      user,
      password: env["PGPASSWORD"],
      database: env["PGDATABASE"] ?? user,
    },
    tls: tlsOf((key) => env[`PG${key.toUpperCase()}`]),
  };
}

function ofConnector(connector: ConnectorConfig, env: Terminal["env"]): Login {
  const { options, tls } = databaseLogin(connector);
  const { host, port, database } = options;
  const { PGUSER: owner } = env;
  const { user, password } = owner === undefined ? options : { user: owner, password: env["PGPASSWORD"] };
  return { options: { host, port, user, password, database }, tls };
}

function ofUrl(text: string, env: Terminal["env"]): Login {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === "" || url.username === "") {
    throw new GuardError("usage", "--url is not a postgres:// address with a host and a user", {
      next: "postgres://owner@db.example.com:5432/inventory; the password may be in PGPASSWORD",
    });
  }
  const user = decodeURIComponent(url.username);
  const password = url.password === "" ? env["PGPASSWORD"] : decodeURIComponent(url.password);
  const database = decodeURIComponent(url.pathname.slice(1)) || user;
  // An IPv6 address is in brackets in a URL only.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    options: { host, port: portOf(url.port), user, password, database },
    tls: tlsOf((key) => url.searchParams.get(key) ?? undefined),
  };
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === "") return 5432;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new GuardError("usage", "PGPORT is not a port", { next: "PGPORT=5432" });
}

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

/** libpq's own parameters. */
function tlsOf(parameter: (key: string) => string | undefined): TlsSettings {
  const text = parameter("sslmode") ?? "prefer";
  const mode = MODES.find((one) => one === text);
  if (mode === undefined) throw new GuardError("usage", "sslmode is not one of libpq's", { next: MODES.join(", ") });
  return {
    mode,
    rootCert: parameter("sslrootcert"),
    cert: parameter("sslcert"),
    key: parameter("sslkey"),
    password: parameter("sslpassword"),
  };
}
