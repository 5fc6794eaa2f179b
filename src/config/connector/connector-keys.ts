import { z } from "zod";

import { captureKeys } from "./capture-keys.ts";
import { connectionKeys } from "./connection-keys.ts";
import { RELEASE_POLICIES } from "../../gate/decision/policy.ts";
import { POISON_POLICIES } from "../../gate/poison-way.ts";
import { choice, duration, key, text, wholeNumber } from "./key.ts";
import { valueKeys } from "./value-keys.ts";

/**
 * The keys of a connector file that Fieldgate uses, each with what it must be and an example. This is the only source
 * for the checks, the messages, schemas/connector.schema.json and the type that the loop gets. The names are
 * Debezium's.
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
    "be a whole number of at least 1, or -1 for the broker's default",
    6,
  ),
  "topic.creation.default.replication.factor": key(
    brokersOr(1000),
    "be a whole number of at least 1, or -1 for the broker's default",
    3,
  ),
  "topic.creation.default.cleanup.policy": key(
    z.enum(["delete", "compact", "compact,delete"]).optional(),
    "be delete, compact or compact,delete",
    "compact",
  ),
  "fieldgate.mode": choice(["guard", "watch"], "guard"),
  "fieldgate.register": choice(["self", "external"], "self"),
  "fieldgate.environment": key(
    text(/^[A-Za-z0-9._-]{1,100}$/).default("default"),
    "be the name of the environment whose contracts count: letters, digits, `.`, `_` or `-`",
    "production",
  ),
  "fieldgate.release.policy": choice(RELEASE_POLICIES, "contracts"),
  "fieldgate.on.unfit": choice(["park", "stop"], "park"),
  "fieldgate.on.poison": choice(POISON_POLICIES, "park"),
  "fieldgate.judge.timeout.ms": key(
    wholeNumber(0, 600_000).default(3000),
    "be a number of milliseconds from 0 to 600000",
    3000,
  ),
  "fieldgate.look.ms": key(
    wholeNumber(100, 3_600_000).default(2000),
    "be a number of milliseconds from 100 to 3600000",
    2000,
  ),
  "fieldgate.groups.seen": duration("7d"),
  "fieldgate.groups.look.ms": key(
    wholeNumber(100, 3_600_000).default(30_000),
    "be a number of milliseconds from 100 to 3600000",
    30_000,
  ),
  "fieldgate.contracts.stale": duration("14d"),
  "fieldgate.backfill.max.rows": key(
    wholeNumber(0, 1e15).default(10_000_000),
    "be a number of rows, at least 0",
    10_000_000,
  ),
  "fieldgate.backfill.rate": key(
    wholeNumber(0, 1e9).default(0),
    "be a number of rows per second; 0 means no limit",
    5000,
  ),
  "fieldgate.chunk.rows": key(wholeNumber(1, 1_000_000).default(1024), "be a number of rows from 1 to 1000000", 1024),
});

export type ConnectorKeys = Readonly<z.output<typeof connectorKeys>>;

/** A count of at least 1. The default -1 leaves it to the broker and is parsed to undefined. */
function brokersOr(max: number) {
  return wholeNumber(-1, max, (value) => value !== 0)
    .default(-1)
    .transform((value) => (value === -1 ? undefined : value));
}
