import { z } from "zod";

import { choice, flag, key, text, wholeNumber } from "./key.ts";

/**
 * How to reach the database. The names are Debezium's, and the TLS modes have the same meaning as in PostgreSQL's JDBC
 * driver.
 */
export const connectionKeys = {
  "database.hostname": key(text(/^\S+$/), "be a host name or address, without spaces", "db.internal"),
  "database.port": key(wholeNumber(1, 65_535).default(5432), "be a whole number from 1 to 65535", 5432),
  "database.user": key(text(/./), "be a role that is allowed to replicate and to read the tables", "fieldgate"),
  "database.password": key(
    z.string(),
    "be a string, preferably from the environment; empty if the server does not ask for a password",
    "${env:INVENTORY_PASSWORD}",
  ),
  "database.dbname": key(text(/./), "be the database's name", "inventory"),
  "database.sslmode": choice(
    ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
    "prefer",
    "verify-full",
  ),
  "database.sslrootcert": key(
    text(/./).optional(),
    "be the path of the certificate authority's certificate (PEM or DER)",
    "/run/secrets/db-ca.pem",
  ),
  "database.sslcert": key(
    text(/./).optional(),
    "be the path of the client certificate (PEM or DER)",
    "/run/secrets/db-client.crt",
  ),
  "database.sslkey": key(
    text(/./).optional(),
    "be the path of the client key: PKCS #8 (DER or PEM), or PKCS #12 in a file named .p12 or .pfx",
    "/run/secrets/db-client.pk8",
  ),
  "database.sslpassword": key(z.string().optional(), "be the key's password", "${env:DB_KEY_PASSWORD}"),
  "database.tcpKeepAlive": flag(true),
  "database.connectTimeout": key(wholeNumber(1, 3600).default(10), "be a number of seconds from 1 to 3600", 10),
  "database.query.timeout.ms": key(
    wholeNumber(0, 2_000_000_000).default(0),
    "be the number of milliseconds a statement may take; 0 means no limit",
    600_000,
  ),
};
