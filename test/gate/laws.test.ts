import { fc, test as law } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { parseSchemaText } from "../../src/avro/parse.ts";
import { contractKey } from "../../src/contract/contract.ts";
import { rowOf } from "../../src/contract/row.ts";
import { decide } from "../../src/decide.ts";
import type { Answer } from "../../src/gate/amendment.ts";
import { candidateOf, insertField, widened } from "../../src/gate/candidate.ts";
import { mayFlow, notReady } from "../../src/gate/policy.ts";
import { policyOf, tellText, weigh } from "../../src/gate/settle.ts";
import type { Input, Rules, State, Step } from "../../src/gate/state.ts";
import { findAmendment, withheldOf } from "../../src/gate/update.ts";
import { attnum, type Column } from "../../src/table/column.ts";
import { schemaId } from "../../src/table/shape.ts";
import {
  column,
  ID,
  NAME,
  OIDS,
  publishing,
  REPLICA,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  WHEN,
} from "./customers.ts";

/** What may happen next. Numbers choose among what there is at that moment. */
type Move =
  | {
      readonly kind: "ddl";
      readonly act: "add" | "drop" | "rename" | "retype";
      readonly at: number;
      readonly column: NewColumn;
    }
  | { readonly kind: "seen"; readonly ahead: boolean; readonly doubtful: number }
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
  | { readonly kind: "registration-refused"; readonly at: number; readonly right: boolean }
  | {
      readonly kind: "contract";
      readonly consumer: number;
      readonly contract: "ready" | "rejects" | "unknown" | "elsewhere" | "gone";
    }
  | {
      readonly kind: "command";
      readonly act: "release" | "withhold";
      readonly at: readonly number[];
      readonly force: boolean;
      readonly backfill: "all" | "none" | undefined;
    }
  | { readonly kind: "passed"; readonly doubt: boolean }
  | { readonly kind: "ask" | "told"; readonly at: number }
  | { readonly kind: "settle" };

interface NewColumn {
  readonly type: keyof typeof OIDS;
  readonly notNull: boolean;
  readonly defaultExpr: string | undefined;
}

const small = fc.nat({ max: 3 });
const newColumn = fc.record({
  type: fc.constantFrom("int" as const, "text" as const, "pg_lsn" as const),
  notNull: fc.boolean(),
  defaultExpr: fc.constantFrom(undefined, "5", "'x'::text", "now()"),
});
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("ddl" as const),
      act: fc.constantFrom("add" as const, "add" as const, "drop" as const, "rename" as const, "retype" as const),
      at: small,
      column: newColumn,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("seen" as const), ahead: fc.boolean(), doubtful: small }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("judged" as const),
      at: small,
      answer: fc.constantFrom(
        "fits" as const,
        "fits" as const,
        "widened" as const,
        "refused" as const,
        "unanswered" as const,
        "old" as const,
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("registered" as const),
      at: small,
      hash: fc.constantFrom("right" as const, "right" as const, "stale" as const, "unknown" as const),
      rows: fc.nat({ max: 2000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("registration-refused" as const), at: small, right: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("contract" as const),
      consumer: fc.nat({ max: 2 }),
      contract: fc.constantFrom(
        "ready" as const,
        "rejects" as const,
        "unknown" as const,
        "elsewhere" as const,
        "gone" as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("command" as const),
      act: fc.constantFrom("release" as const, "withhold" as const),
      at: fc.array(small, { minLength: 1, maxLength: 2 }),
      force: fc.boolean(),
      backfill: fc.constantFrom("all" as const, "none" as const, undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("passed" as const), doubt: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("ask" as const, "told" as const), at: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle" as const) }) },
);

/** The database beside the connector: what its table has, and what a slow registry was asked long ago. */
interface World {
  columns: Column[];
  next: number;
  readonly old: Answer[];
  commands: number;
}

function ddl(world: World, { act, at, column: added }: Extract<Move, { kind: "ddl" }>): void {
  if (act === "add") {
    const notNull = added.notNull;
    world.columns.push(column(world.next, `c${world.next}`, added.type, { notNull, defaultExpr: added.defaultExpr }));
    world.next += 1;
    return;
  }
  const index = 2 + (at % Math.max(1, world.columns.length - 2));
  const chosen = world.columns[index];
  if (chosen === undefined) return;
  if (act === "drop") world.columns.splice(index, 1);
  else if (act === "rename") world.columns[index] = { ...chosen, name: `${chosen.name}x` };
  else world.columns[index] = { ...chosen, type: { oid: OIDS[added.type], typmod: -1 }, typeName: added.type };
}

/** The input a move is at this moment; undefined: it is nothing now. */
function inputOf(world: World, state: State, chosen: Move): Input | undefined {
  const { amendments, shape } = tableIn(state);
  const amendment =
    "at" in chosen && typeof chosen.at === "number"
      ? amendments[chosen.at % Math.max(1, amendments.length)]
      : undefined;
  switch (chosen.kind) {
    case "ddl":
      ddl(world, chosen);
      return undefined;
    case "seen": {
      const columns = [...world.columns];
      const ahead = columns.filter((_, index) => !chosen.ahead || index !== 2);
      const catalog = { ...tableOf(ahead), maxAttnum: world.next - 1 };
      const doubtful = chosen.doubtful === 3 ? [attnum(3)] : [];
      return seen(columns, { catalog, doubtful });
    }
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
      const schema = { id: schemaId(100 + shape.fields.length), text: candidate?.text ?? "{}" };
      return { kind: "registered", id: amendment.id, hash: candidate?.hash ?? "x", schema, estimatedRows: chosen.rows };
    }
    case "registration-refused": {
      if (amendment?.answer?.kind !== "fits") return undefined;
      const hash = chosen.right ? amendment.answer.candidate.hash : "x";
      return { kind: "registration-refused", id: amendment.id, hash, why: "409" };
    }
    case "contract":
      return contractInput(chosen, world);
    case "command": {
      const ids = chosen.at.flatMap((at) => amendments[at % Math.max(1, amendments.length)]?.id ?? []);
      const { act: kind, force, backfill } = chosen;
      world.commands += 1;
      const reason = force ? "we must" : undefined;
      return {
        kind: "command",
        command: { id: `c${world.commands}`, kind, ids, reason, force, backfill, actor: "anna" },
      };
    }
    case "passed":
      return { kind: "passed", topic: TOPIC, doubt: chosen.doubt };
    case "ask":
      return amendment && { kind: "ask", id: amendment.id };
    case "told":
      return amendment && { kind: "told", id: amendment.id, text: tellText(amendment), time: WHEN.time, reminders: 0 };
    case "settle":
      return { kind: "settle", topic: TOPIC };
    default:
      return chosen satisfies never;
  }
}

function answerOf(world: World, state: State, id: string, answer: Extract<Move, { kind: "judged" }>["answer"]): Answer {
  const found = findAmendment(state, id);
  const candidate = found && candidateOf(found.table.shape, found.amendment.column);
  if (found === undefined || candidate === undefined || answer === "unanswered")
    return { kind: "unanswered", why: "down" };
  if (answer === "old")
    return (
      world.old.find((old) => old.kind === "fits" && old.candidate.field.attnum === found.amendment.attnum) ?? {
        kind: "unanswered",
        why: "down",
      }
    );
  const fresh: Answer =
    answer === "refused"
      ? { kind: "refused", candidate, why: "the level" }
      : { kind: "fits", candidate: answer === "widened" ? widened(found.table.shape, candidate) : candidate };
  world.old.push(fresh);
  return fresh;
}

function contractInput({ consumer, contract }: Extract<Move, { kind: "contract" }>, world: World): Input {
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

interface Played {
  readonly before: State;
  readonly input: Input;
  readonly step: Step;
}

/** Every step of a run that begins with two columns just added and seen. */
function play({ rules, keyed, moves }: Run): readonly Played[] {
  const added = [column(3, "c3", "text"), column(4, "c4", "int", { notNull: true })];
  const world: World = { columns: [ID, NAME, ...added], next: 5, old: [], commands: 0 };
  let state = stateOf(publishing([ID, NAME], keyed));
  const played: Played[] = [];
  for (const chosen of [{ kind: "seen" as const, ahead: false, doubtful: 0 }, ...moves]) {
    const input = inputOf(world, state, chosen);
    if (input === undefined) continue;
    const step = decide(rules, state, keyed ? input : withoutKey(input), WHEN);
    played.push({ before: state, input: keyed ? input : withoutKey(input), step });
    state = step.state;
  }
  return played;
}

function withoutKey(input: Input): Input {
  if (input.kind !== "seen") return input;
  const columns = input.relation.columns.map((one) => ({ ...one, key: false }));
  return { ...input, relation: { ...input.relation, columns }, table: { ...input.table, key: [] } };
}

interface Run {
  readonly rules: Rules;
  readonly keyed: boolean;
  readonly moves: readonly Move[];
}

const runs: fc.Arbitrary<Run> = fc.record({
  rules: fc
    .constantFrom("observe" as const, "contracts" as const, "manual" as const)
    .map((policy) => ({ ...RULES, policy })),
  keyed: fc.boolean(),
  moves: fc.array(move, { minLength: 3, maxLength: 40 }),
});
const numRuns = 150;

describe("whatever happens in whatever order", () => {
  law.prop([runs], { numRuns })("a withheld column is not in the shape, nor in the schema that flows", (run) => {
    for (const { step } of play(run)) {
      const table = tableIn(step.state);
      const flowing = table.shape.fields.map((field) => field.attnum);
      for (const { attnum: withheld } of withheldOf(table)) expect(flowing).not.toContain(withheld);
    }
  });

  law.prop([runs], { numRuns })("the schema that flows is that of the shape's fields, in their order", (run) => {
    for (const { step } of play(run)) {
      const { shape, flowed } = tableIn(step.state);
      const row = rowOf(parseSchemaText(shape.valueSchema.text));
      expect(row?.fields.map((field) => field.name)).toEqual(shape.fields.map((field) => field.name));
      expect(flowed.at(-1)).toBe(shape.valueSchema);
    }
  });

  law.prop([runs], { numRuns })(
    "fields come only by a release: of the candidate that was registered, where the policy lets it",
    (run) => {
      for (const { before, input, step } of play(run)) {
        const [old, now] = [tableIn(before).shape, tableIn(step.state).shape];
        if (old.fields === now.fields) continue;
        if (input.kind !== "registered") throw new Error(`fields changed by ${input.kind}`);
        const [was, is] = [findAmendment(before, input.id), findAmendment(step.state, input.id)];
        expect(was?.amendment.gate.kind).toBe("withheld");
        expect(is?.amendment.gate.kind).toBe("released");
        const answer = was?.amendment.answer;
        if (was === undefined || answer?.kind !== "fits") throw new Error("released without an answer");
        expect(answer.candidate.hash).toBe(input.hash);
        const weighed = { ...was.amendment, verdicts: weigh(run.rules, before, was.table, was.amendment) };
        expect(mayFlow(policyOf(run.rules, TOPIC), weighed, old.key.length === 0).kind).toBe("flows");
        expect(now.fields).toEqual(insertField(old.fields, answer.candidate.field));
      }
    },
  );

  law.prop([runs], { numRuns })(
    "under contracts nothing flows against a contract that is not ready, but by force",
    (run) => {
      if (run.rules.policy !== "contracts") return;
      for (const { before, input, step } of play(run)) {
        if (input.kind !== "registered" || tableIn(before).shape === tableIn(step.state).shape) continue;
        const was = findAmendment(before, input.id);
        if (was === undefined) throw new Error("no amendment");
        const waiting = notReady(weigh(run.rules, before, was.table, was.amendment));
        if (waiting.length > 0) expect(was.amendment.order).toMatchObject({ kind: "release", force: true });
      }
    },
  );

  law.prop([runs], { numRuns })("what is released stays released, and is registered once", (run) => {
    for (const { before, step } of play(run)) {
      for (const { id, gate } of tableIn(before).amendments) {
        if (gate.kind === "withheld") continue;
        expect(findAmendment(step.state, id)?.amendment.gate).toBe(gate);
        expect(step.effects).not.toContainEqual(expect.objectContaining({ kind: "register", id }));
      }
    }
  });

  law.prop([runs], { numRuns })("fields stay in the order of their attnums", (run) => {
    for (const { step } of play(run)) {
      const attnums = tableIn(step.state).shape.fields.map((field) => Number(field.attnum));
      expect(attnums).toEqual(attnums.toSorted((a, b) => a - b));
    }
  });

  law.prop([runs], { numRuns })("the same input on the same state gives the same", (run) => {
    for (const { before, input, step } of play(run)) expect(decide(run.rules, before, input, WHEN)).toEqual(step);
  });

  law.prop([runs], { numRuns })("every register effect asks for the schema that would flow from here", (run) => {
    for (const { step } of play(run)) {
      for (const effect of step.effects) {
        if (effect.kind !== "register") continue;
        const { shape } = tableIn(step.state);
        const row = rowOf(parseSchemaText(effect.candidate.text));
        const names = insertField(shape.fields, effect.candidate.field).map((field) => field.name);
        expect(row?.fields.map((field) => field.name)).toEqual(names);
        const { column: live } = findAmendment(step.state, effect.id)?.amendment ?? {};
        const candidate = live && candidateOf(shape, live);
        const possible = candidate && [candidate.hash, widened(shape, candidate).hash];
        expect(possible).toContain(effect.candidate.hash);
      }
    }
  });

  law.prop([runs], { numRuns })(
    "a command has an outcome at once; a pending one is waited for by something; a final one is not undone",
    (run) => {
      for (const { before, input, step } of play(run)) {
        if (input.kind === "command") expect(step.state.outcomes.has(input.command.id)).toBe(true);
        for (const [id, outcome] of before.outcomes) {
          if (outcome.kind !== "pending") expect(step.state.outcomes.get(id)).toBe(outcome);
        }
        const orders = withheldOf(tableIn(step.state)).map((amendment) => amendment.order?.command);
        for (const [id, outcome] of step.state.outcomes) if (outcome.kind === "pending") expect(orders).toContain(id);
      }
    },
  );
});
