import { fc } from "@fast-check/vitest";
import { contractKey } from "../../src/contract/contract.ts";
import type { RegistryAnswer } from "../../src/gate/amendment/amendment.ts";
import { candidateOf } from "../../src/gate/amendment/candidate.ts";
import { alertKey } from "../../src/gate/decision/reason.ts";
import type { GroupPoll } from "../../src/gate/evidence/evidence.ts";
import type { Input, State } from "../../src/gate/state.ts";
import { findAmendment } from "../../src/gate/update.ts";
import { type Attnum, attnum, type Column, tableOid } from "../../src/table/column.ts";
import { schemaId } from "../../src/table/shape.ts";
import { column, ID, NAME, OIDS, REPLICA, RULES, seen, tableIn, TOPIC, WHEN } from "./customers.ts";

type Types = keyof typeof OIDS;

const ACTS = ["add", "drop", "rename", "retype", "null", "default", "swap", "again", "key", "replace"] as const;

export interface Ddl {
  readonly kind: "ddl";
  readonly act: (typeof ACTS)[number];
  readonly at: number;
  readonly type: Types;
  readonly notNull: boolean;
  readonly defaultExpr: string | undefined;
}

export interface Saw {
  readonly kind: "seen";
  /** The catalog has lost one of the columns already. */
  readonly ahead: boolean;
  /** 3 means that one column cannot be identified. */
  readonly doubtful: number;
  readonly rewritten: boolean;
}

export interface Said {
  readonly kind: "command";
  readonly act: "release" | "withhold" | "fill";
  readonly at: readonly number[];
  readonly force: boolean;
  readonly backfill: "all" | "none" | undefined;
  readonly beside: { readonly name: string | undefined } | undefined;
}

export interface Published {
  readonly kind: "contract";
  readonly consumer: number;
  readonly contract: "ready" | "rejects" | "unknown" | "elsewhere" | "gone";
}

/** A poll of the groups some time after the last one. It failed if `groups` is undefined. */
export interface Polled {
  readonly kind: "groups";
  readonly groups: readonly (typeof GROUPS)[number][] | undefined;
  readonly hours: number;
  readonly offset: number;
  readonly announces: boolean;
}

/** What may happen next. Numbers choose among the possibilities at that moment. */
export type Move =
  | Ddl
  | Saw
  | Said
  | Published
  | {
      readonly kind: "judged";
      readonly at: number;
      readonly answer: "fits" | "widened" | "refused" | "unanswered" | "old";
    }
  | {
      readonly kind: "registered";
      readonly at: number;
      readonly hash: "right" | "stale" | "unknown";
      readonly rows: number;
    }
  | { readonly kind: "registration-refused" | "registration-awaited"; readonly at: number; readonly right: boolean }
  | { readonly kind: "passed"; readonly doubt: boolean }
  | { readonly kind: "ask" | "alerted"; readonly at: number }
  | { readonly kind: "settle" | "undescribed" }
  | Polled;

const GROUPS = ["consumer0", "consumer1", "sink", "idle"] as const;

const polledAt: fc.Arbitrary<Polled> = fc.record({
  kind: fc.constant("groups" as const),
  groups: fc.option(fc.subarray([...GROUPS]), { nil: undefined, freq: 4 }),
  hours: fc.nat({ max: 240 }),
  offset: fc.nat({ max: 2 }),
  announces: fc.boolean(),
});

const small = fc.nat({ max: 3 });

export function ddls(...acts: readonly Ddl["act"][]): fc.Arbitrary<Ddl> {
  return fc.record({
    kind: fc.constant("ddl" as const),
    act: fc.constantFrom(...acts),
    at: small,
    type: fc.constantFrom("int" as const, "bigint" as const, "text" as const, "tid" as const),
    notNull: fc.boolean(),
    defaultExpr: fc.constantFrom(undefined, "5", "'x'::text", "now()"),
  });
}
export const saw: fc.Arbitrary<Saw> = fc.record({
  kind: fc.constant("seen" as const),
  ahead: fc.boolean(),
  doubtful: small,
  rewritten: fc.boolean(),
});
export const said: fc.Arbitrary<Said> = fc.record({
  kind: fc.constant("command" as const),
  act: fc.constantFrom("release" as const, "release" as const, "withhold" as const, "fill" as const),
  at: fc.array(small, { minLength: 1, maxLength: 2 }),
  force: fc.boolean(),
  backfill: fc.constantFrom("all" as const, "none" as const, undefined),
  beside: fc.constantFrom(undefined, undefined, { name: undefined }, { name: "other" }),
});
export const publishedContract: fc.Arbitrary<Published> = fc.record({
  kind: fc.constant("contract" as const),
  consumer: fc.nat({ max: 2 }),
  contract: fc.constantFrom("ready", "rejects", "unknown", "elsewhere", "gone"),
});
export const anyMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: ddls(...ACTS, "add") },
  { weight: 4, arbitrary: saw },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: fc.constant("judged" as const),
      at: small,
      answer: fc.constantFrom("fits", "fits", "fits", "widened", "refused", "unanswered", "old"),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: fc.constant("registered" as const),
      at: small,
      hash: fc.constantFrom("right", "right", "right", "stale", "unknown"),
      rows: fc.nat({ max: 2000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("registration-refused" as const, "registration-awaited" as const),
      at: small,
      right: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: publishedContract },
  { weight: 3, arbitrary: said },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("passed" as const), doubt: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("ask" as const, "alerted" as const), at: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("settle" as const, "undescribed" as const) }) },
  { weight: 4, arbitrary: polledAt },
);

/**
 * The database and the registry around the connector: what the table has now, and what a slow registry was asked
 * earlier.
 */
export interface World {
  oid: number;
  columns: readonly Column[];
  /** Attnums of the primary key. */
  key: readonly number[];
  /** The next attnum, and the number of the next new name. */
  next: number;
  names: number;
  replaced: boolean;
  readonly old: RegistryAnswer[];
  commands: number;
  /** The time of the last poll, in milliseconds. */
  now: number;
}

export function newWorld(keyed: boolean): World {
  const columns = [ID, NAME];
  return {
    oid: 5000,
    columns,
    key: keyed ? [1] : [],
    next: 3,
    names: 3,
    replaced: false,
    old: [],
    commands: 0,
    now: 0,
  };
}

function newColumn(world: World, name: string, { type, notNull, defaultExpr }: Ddl): Column {
  const made = column(world.next, name, type, { notNull, defaultExpr });
  world.next += 1;
  return made;
}

/** The table's columns except those of the key. */
export function ddl(world: World, move: Ddl): void {
  const { columns } = world;
  const free = columns.filter((one) => !world.key.includes(one.attnum) && one.attnum !== 1);
  const chosen = free[move.at % Math.max(1, free.length)];
  const with_ = (next: Partial<Column>) => {
    world.columns = columns.map((one) => (one === chosen ? { ...one, ...next } : one));
  };
  world.names += 1;
  switch (move.act) {
    case "add":
      world.columns = [...columns, newColumn(world, `c${world.names}`, move)];
      return;
    case "replace":
      replace(world, move);
      return;
    default:
      if (chosen !== undefined) ddlOf(world, { ...move, act: move.act }, chosen, free, with_);
  }
}

function ddlOf(
  world: World,
  move: Ddl & { readonly act: Exclude<Ddl["act"], "add" | "replace"> },
  chosen: Column,
  free: readonly Column[],
  with_: (next: Partial<Column>) => void,
): void {
  const { columns } = world;
  switch (move.act) {
    case "drop":
      world.columns = columns.filter((one) => one !== chosen);
      return;
    case "again":
      world.columns = [...columns.filter((one) => one !== chosen), newColumn(world, chosen.name, move)];
      return;
    case "rename":
      with_({ name: `n${world.names}` });
      return;
    case "retype":
      with_({ type: { oid: OIDS[move.type], typmod: -1 }, typeName: move.type });
      return;
    case "null":
      with_({ notNull: move.notNull });
      return;
    case "default":
      with_({ defaultExpr: move.defaultExpr });
      return;
    case "key":
      if (world.key.length === 0) return;
      world.key = [...world.key, chosen.attnum].slice(-2);
      with_({ notNull: true });
      return;
    case "swap": {
      const other = free[(move.at + 1) % free.length];
      if (other === undefined || other === chosen) return;
      world.columns = world.columns.map((one) =>
        one === chosen ? { ...one, name: other.name } : one === other ? { ...one, name: chosen.name } : one,
      );
      return;
    }
    default:
      move.act satisfies never;
  }
}

/** A different table takes the name. Some of its columns have the same name and type. */
function replace(world: World, { at }: Ddl): void {
  const kept = world.columns.filter((_, index) => index !== at || index === 0);
  world.columns = kept.map((one, index) => ({ ...one, attnum: attnum(index + 1) }));
  world.oid += 1;
  world.key = world.key.length === 0 ? [] : [1];
  world.next = kept.length + 1;
  world.replaced = true;
}

/** The table as a row in the log describes it, or as the first row of its replacement does. */
export function sawInput(world: World, chosen: Saw): Input {
  const columns = world.columns;
  const key = world.key.map(attnum);
  const ahead = columns.filter((_, index) => !chosen.ahead || index !== 2 || key.includes(attnum(3)));
  const live: Attnum[] = columns.map((one) => one.attnum);
  const doubtful = chosen.doubtful === 3 ? live.slice(2, 3) : [];
  const base = seen(columns, { keyed: key.length > 0, key, doubtful, rewritten: chosen.rewritten });
  const table = { ...base.table, columns: ahead, maxAttnum: world.next - 1, oid: tableOid(world.oid) };
  if (world.replaced) {
    world.replaced = false;
    return { kind: "replaced", topic: TOPIC, table };
  }
  return { ...base, table, relation: { ...base.relation, oid: world.oid } };
}

/** The input for a move at this moment; undefined if it is impossible now. */
export function inputOf(world: World, state: State, chosen: Move): Input | undefined {
  const { amendments } = tableIn(state);
  const amendment =
    "at" in chosen && typeof chosen.at === "number"
      ? amendments[chosen.at % Math.max(1, amendments.length)]
      : undefined;
  switch (chosen.kind) {
    case "ddl":
      ddl(world, chosen);
      return undefined;
    case "seen":
      return sawInput(world, chosen);
    case "judged":
      return (
        amendment && { kind: "judged", id: amendment.id, answer: answerOf(world, state, amendment.id, chosen.answer) }
      );
    case "registered": {
      if (amendment === undefined) return undefined;
      const { answer } = amendment;
      const stale = world.old.find((old) => old.kind === "fits");
      const from = chosen.hash === "right" ? answer : chosen.hash === "stale" ? stale : undefined;
      const candidate = from?.kind === "fits" ? from.candidate : undefined;
      const id = schemaId(100 + tableIn(state).flowed.length);
      const schema = { id, text: candidate?.text ?? "{}" };
      return { kind: "registered", id: amendment.id, hash: candidate?.hash ?? "x", schema, estimatedRows: chosen.rows };
    }
    case "registration-refused":
    case "registration-awaited": {
      if (amendment?.answer?.kind !== "fits") return undefined;
      const hash = chosen.right ? amendment.answer.candidate.hash : "x";
      const of = { id: amendment.id, hash };
      return chosen.kind === "registration-refused"
        ? { kind: "registration-refused", ...of, text: "409" }
        : { kind: "registration-awaited", ...of, subject: `${TOPIC}-value` };
    }
    case "contract":
      return contractInput(chosen, world);
    case "command":
      return commandInput(world, state, chosen);
    case "passed":
      return { kind: "passed", topic: TOPIC, doubt: chosen.doubt };
    case "ask":
      return amendment && { kind: "ask", id: amendment.id };
    case "alerted":
      return (
        amendment && {
          kind: "alerted",
          id: amendment.id,
          alerted: { key: alertKey(amendment), time: WHEN.time, reminders: 0 },
        }
      );
    case "settle":
    case "undescribed":
      return { kind: chosen.kind, topic: TOPIC };
    case "groups":
      return { kind: "groups", poll: pollOf(world, chosen) };
    default:
      return chosen satisfies never;
  }
}

/** `idle` has no members, only offsets that sometimes move. */
function pollOf(world: World, { groups, hours, offset, announces }: Polled): GroupPoll {
  world.now += hours * 3_600_000;
  const at = world.now;
  if (groups === undefined) return { kind: "unknown", at, why: "down" };
  const readers = new Map(announces ? [["f", 1]] : []);
  const found = groups.map((group) => {
    const offsets = new Map(group === "idle" ? [[0, BigInt(offset)]] : []);
    return { group, members: group === "idle" ? 0 : 1, offsets, readers };
  });
  return { kind: "seen", at, byTopic: new Map([[TOPIC, found]]) };
}

export function commandInput(world: World, state: State, chosen: Said): Input {
  const { amendments } = tableIn(state);
  const ids = chosen.at.flatMap((at) => amendments[at % Math.max(1, amendments.length)]?.id ?? []);
  const { act: kind, force, backfill, beside } = chosen;
  world.commands += 1;
  const reason = force ? "we must" : undefined;
  const value = kind === "fill" ? (force ? 7 : "seven") : undefined;
  const command = { id: `c${world.commands}`, kind, ids, reason, force, backfill, value, actor: "anna" };
  return { kind: "command", command: kind === "release" ? { ...command, beside } : command };
}

function answerOf(
  world: World,
  state: State,
  id: string,
  answer: Extract<Move, { kind: "judged" }>["answer"],
): RegistryAnswer {
  const unanswered: RegistryAnswer = { kind: "unanswered", code: "registry-down", text: "down" };
  const found = findAmendment(state, id);
  if (found === undefined || answer === "unanswered") return unanswered;
  if (answer === "old") return world.old.at(-1) ?? unanswered;
  const making = candidateOf(RULES, found.table, found.amendment, answer === "widened");
  if (making.kind === "none") return { kind: "no-candidate", why: making.why };
  const { candidate } = making.made;
  const fresh: RegistryAnswer =
    answer === "refused" ? { kind: "refused", candidate, text: "the level" } : { kind: "fits", candidate };
  world.old.push(fresh);
  return fresh;
}

export function contractInput({ consumer, contract }: Published, world: World): Input {
  const names = world.columns.map((one) => one.name);
  const whole = { ...REPLICA, consumer: `consumer${consumer}`, fields: ["id", "name"] };
  const key = contractKey(whole);
  switch (contract) {
    case "gone":
      return { kind: "contract", key, contract: undefined };
    case "ready":
      return { kind: "contract", key, contract: { ...whole, fields: names } };
    case "rejects":
      return { kind: "contract", key, contract: whole };
    case "unknown":
      return { kind: "contract", key, contract: { ...whole, decodesWith: "reader", fields: undefined } };
    case "elsewhere":
      return { kind: "contract", key, contract: { ...whole, environment: "staging" } };
    default:
      return contract satisfies never;
  }
}
