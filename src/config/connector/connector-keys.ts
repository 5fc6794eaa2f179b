import { z } from "zod";

import { captureKeys } from "./capture-keys.ts";
import { connectionKeys } from "./connection-keys.ts";
import { DURATION, duration, key, text, wholeNumber } from "./key.ts";
import { valueKeys } from "./value-keys.ts";

/**
 * The keys of a connector file that mean something here, each with what it must be and an example: the one
 * source of the checks, of the messages and of schemas/connector.schema.json. Names are Debezium's.
 */
export const connectorKeys = z.strictObject({
  name: key(
    text(/^[A-Za-z0-9._-]{1,100}$/),
    "be 1 to 100 letters, digits, `.`, `_` or `-`; default: the file's name without .json",
    "inventory",
  ),
  ...connectionKeys,
  "topic.prefix": key(
    text(/^[A-Za-z0-9._-]{1,150}$/),
    "be 1 to 150 letters, digits, `.`, `_` or `-`: topics are <prefix>.<schema>.<table>",
    "inventory",
  ),
  ...captureKeys,
  ...valueKeys,
  "topic.creation.default.partitions": key(
    brokersOr(100_000),
    "be a whole number from 1, or -1 for the broker's default",
    6,
  ),
  "topic.creation.default.replication.factor": key(
    brokersOr(1000),
    "be a whole number from 1, or -1 for the broker's default",
    3,
  ),
  "topic.creation.default.cleanup.policy": key(
    z.enum(["delete", "compact", "compact,delete"]).optional(),
    "be delete, compact or compact,delete",
    "compact",
  ),
  "fieldgate.mode": key(z.enum(["guard", "watch"]).default("guard"), "be guard or watch", "guard"),
  "fieldgate.environment": key(
    text(/^[A-Za-z0-9._-]{1,100}$/).default("default"),
    "be the environment whose contracts count: letters, digits, `.`, `_` or `-`",
    "production",
  ),
  "fieldgate.release.policy": key(
    releasePolicy().default("contracts"),
    "be observe, contracts, strict or manual",
    "contracts",
  ),
  "fieldgate.judge.timeout.ms": key(wholeNumber(0, 600_000).default(3000), "be milliseconds, 0 to 600000", 3000),
  "fieldgate.groups.seen": key(duration("7d"), DURATION, "7d"),
  "fieldgate.groups.look.ms": key(
    wholeNumber(100, 3_600_000).default(30_000),
    "be milliseconds, 100 to 3600000",
    30_000,
  ),
  "fieldgate.contracts.stale": key(duration("14d"), DURATION, "14d"),
  "fieldgate.backfill.max.rows": key(
    wholeNumber(0, 1e15).default(10_000_000),
    "be a number of rows, from 0",
    10_000_000,
  ),
  "fieldgate.backfill.rate": key(wholeNumber(0, 1e9).default(0), "be rows a second, 0 for no limit", 5000),
  "fieldgate.chunk.rows": key(wholeNumber(1, 1_000_000).default(1024), "be rows a chunk, 1 to 1000000", 1024),
});

export type ConnectorKeys = Readonly<z.output<typeof connectorKeys>>;

/** `fieldgate.release.policy.<schema.table>` overrides the policy for one table. */
export const TABLE_POLICY_PREFIX = "fieldgate.release.policy.";
export const tablePolicy = releasePolicy();

/** A count of at least 1; -1, the default, leaves it to the broker and is parsed to undefined. */
function brokersOr(max: number) {
  return wholeNumber(-1, max, (value) => value !== 0)
    .default(-1)
    .transform((value) => (value === -1 ? undefined : value));
}

function releasePolicy() {
  return z.enum(["observe", "contracts", "strict", "manual"]);
}
