import { z } from "zod";

import { flag, key, text, wholeNumber } from "./key.ts";

/** How the database is reached, by Debezium's names; TLS as PostgreSQL's JDBC driver means it. */
export const connectionKeys = {
  "database.hostname": key(text(/^\S+$/), "be a host name or address without spaces", "db.internal"),
  "database.port": key(wholeNumber(1, 65_535).default(5432), "be a whole number from 1 to 65535", 5432),
  "database.user": key(text(/./), "be a role that may replicate and read the tables", "fieldgate"),
  "database.password": key(
    z.string(),
    "be a text, best one taken from the environment; empty when the server asks for none",
    "${env:INVENTORY_PASSWORD}",
  ),
  "database.dbname": key(text(/./), "be the database's name", "inventory"),
  "database.sslmode": key(
    z.enum(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]).default("prefer"),
    "be disable, allow, prefer, require, verify-ca or verify-full",
    "verify-full",
  ),
  "database.sslrootcert": key(
    text(/./).optional(),
    "be the path of the authority's certificate (PEM or DER)",
    "/run/secrets/db-ca.pem",
  ),
  "database.sslcert": key(
    text(/./).optional(),
    "be the path of the client's certificate (PEM or DER)",
    "/run/secrets/db-client.crt",
  ),
  "database.sslkey": key(
    text(/./).optional(),
    "be the path of the client's key (PKCS #8 as DER or PEM, or PKCS #12 named .p12 or .pfx)",
    "/run/secrets/db-client.pk8",
  ),
  "database.sslpassword": key(z.string().optional(), "be the key's password", "${env:DB_KEY_PASSWORD}"),
  "database.tcpKeepAlive": key(flag().default(true), "be true or false", true),
  "database.connectTimeout": key(wholeNumber(1, 3600).default(10), "be seconds, 1 to 3600", 10),
  "database.query.timeout.ms": key(
    wholeNumber(0, 2_000_000_000).default(0),
    "be milliseconds a statement may take, 0 for no limit",
    600_000,
  ),
};
