import type { KafkaAddress } from "./kafka.ts";
import type { PostgresAddress } from "./postgres.ts";

/** The addresses of the three servers. */
export interface Addresses {
  readonly postgres: PostgresAddress;
  readonly kafka: KafkaAddress;
  readonly registry: { readonly url: string };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`FIELDGATE_STACK=env requires ${name}`);
  return value;
}

function parsePostgresUrl(text: string): PostgresAddress {
  if (!URL.canParse(text)) throw new Error("FIELDGATE_PG_URL must be postgres://user:password@host:port/database");
  const url = new URL(text);
  return {
    host: url.hostname,
    port: Number(url.port === "" ? 5432 : url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || "postgres",
  };
}

/**
 * The servers in FIELDGATE_PG_URL (a superuser on a server with wal_level logical), FIELDGATE_KAFKA_BROKERS (separated by
 * commas) and FIELDGATE_REGISTRY_URL (base of Confluent's API). Throws if a variable is missing.
 */
export function environmentAddresses(): Addresses {
  return {
    postgres: parsePostgresUrl(required("FIELDGATE_PG_URL")),
    kafka: { brokers: required("FIELDGATE_KAFKA_BROKERS").split(",") },
    registry: { url: required("FIELDGATE_REGISTRY_URL").replace(/\/$/, "") },
  };
}

/** The addresses as `export` lines for a shell. */
export function asExports({ postgres, kafka, registry }: Addresses): string {
  const { user, password, host, port, database } = postgres;
  return [
    "export FIELDGATE_STACK=env",
    `export FIELDGATE_PG_URL=postgres://${user}:${password}@${host}:${port}/${database}`,
    `export FIELDGATE_KAFKA_BROKERS=${kafka.brokers.join(",")}`,
    `export FIELDGATE_REGISTRY_URL=${registry.url}`,
  ].join("\n");
}
