import type { ConnectorConfig } from "../config/connector/connector-config.ts";
import type { PostgresOptions } from "../postgres/connection.ts";
import type { TlsSettings } from "../postgres/tls.ts";

/** The database's connection settings from a connector's file. */
export function databaseLogin(config: ConnectorConfig): {
  readonly options: PostgresOptions;
  readonly tls: TlsSettings;
} {
  return {
    options: {
      host: config["database.hostname"],
      port: config["database.port"],
      user: config["database.user"],
      password: config["database.password"],
      database: config["database.dbname"],
      keepAlive: config["database.tcpKeepAlive"],
      connectTimeoutMs: config["database.connectTimeout"] * 1000,
      queryTimeoutMs: config["database.query.timeout.ms"],
    },
    tls: {
      mode: config["database.sslmode"],
      rootCert: config["database.sslrootcert"],
      cert: config["database.sslcert"],
      key: config["database.sslkey"],
      password: config["database.sslpassword"],
    },
  };
}
