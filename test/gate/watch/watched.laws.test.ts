import { fc, test as law } from "@fast-check/vitest";
import { withoutAnswers } from "../../store/without-answers.ts";
import { describe, expect } from "vitest";
import { parseSchemaText } from "../../../src/avro/schema-text.ts";
import { rowOf } from "../../../src/contract/row.ts";
import { decide } from "../../../src/gate/decide.ts";
import { fieldOf } from "../../../src/event/field.ts";
import { envelopeSchema, keySchema, rowSchema } from "../../../src/event/envelope/schema.ts";
import type { Amendment } from "../../../src/gate/amendment/amendment.ts";
import type { Input, Rules, State, Decided } from "../../../src/gate/state.ts";
import { asItsColumns } from "../../../src/gate/watch/unpublished.ts";
import { withheldOf } from "../../../src/gate/update.ts";
import { changes, EMPTY, replay, type Stored } from "../../../src/store/records.ts";
import { attnum, type Column, tableOid } from "../../../src/table/column.ts";
import { type Field, schemaId } from "../../../src/table/shape.ts";
import { ID, NAME, publishing, RULES, stateOf, tableIn, tableOf, TOPIC, WHEN } from "../customers.ts";
import { anyMove, inputOf, type Move, newWorld, type World } from "../world.ts";

const WATCH: Rules = { ...RULES, mode: "watch" };
const UNWRAPPED: Rules = { ...WATCH, unwrapped: new Set(["__op"]) };

/** Debezium registers the table as it is, or as it was the previous time. */
type Watched = Move | { readonly kind: "observed"; readonly late: boolean };

interface Played {
  readonly input: Input;
  readonly step: Decided;
}

interface Run {
  /** Nothing has been published from the table at the beginning. */
  readonly unpublished: boolean;
  /** Its events are rows with an added field `__op`. */
  readonly unwrapped: boolean;
  readonly moves: readonly Watched[];
}

const moves: fc.Arbitrary<readonly Watched[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: anyMove.filter(({ kind }) => !kind.startsWith("regist")) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("observed" as const), late: fc.boolean() }) },
  ),
  { minLength: 3, maxLength: 40 },
);

const runs: fc.Arbitrary<Run> = fc.record({ unpublished: fc.boolean(), unwrapped: fc.boolean(), moves });

function begin({ unpublished, unwrapped }: Run): State {
  const table = publishing([ID, NAME]);
  const seen = [ID, NAME].map((column) => ({ column, gone: false }));
  if (unpublished) return stateOf({ ...asItsColumns(rulesOf({ unwrapped }), table, seen, [ID.attnum]), unpublished });
  const valueSchema = { id: schemaId(1), text: schemaText(table.shape.fields, unwrapped) };
  return stateOf({ ...table, shape: { ...table.shape, valueSchema }, flowed: [valueSchema] });
}

function rulesOf({ unwrapped }: Pick<Run, "unwrapped">): Rules {
  return unwrapped ? UNWRAPPED : WATCH;
}

function schemaText(fields: readonly Field[], unwrapped: boolean): string {
  if (!unwrapped) return JSON.stringify(envelopeSchema(TOPIC, fields));
  const row = rowSchema(TOPIC, fields) as { readonly fields: readonly unknown[] }; // a record
  return JSON.stringify({ ...row, fields: [...row.fields, { name: "__op", type: ["null", "string"], default: null }] });
}

function play(run: Run): readonly Played[] {
  const world = newWorld(true);
  let state = begin(run);
  let before: readonly Column[] = world.columns;
  let id = 10;
  const played: Played[] = [];
  for (const move of [...run.moves, { kind: "observed", late: false } as const]) {
    const input =
      move.kind === "observed"
        ? observed(world, move.late ? before : world.columns, (id += 1), run.unwrapped)
        : inputOf(world, state, move);
    if (move.kind === "observed") before = world.columns;
    if (input === undefined) continue;
    const step = decide(rulesOf(run), state, input, WHEN);
    played.push({ input, step });
    state = step.state;
  }
  return played;
}

function mapped(columns: readonly Column[]): readonly Field[] {
  return columns.flatMap((column) => {
    const result = fieldOf(column, WATCH.modes);
    return result.kind === "field" ? [result.field] : [];
  });
}

function observed(world: World, columns: readonly Column[], id: number, unwrapped: boolean): Input {
  const fields = mapped(columns);
  const keyed = world.key.flatMap((one) => fields.filter((field) => field.attnum === one));
  const key = keySchema(TOPIC, keyed);
  const table = {
    ...tableOf(world.columns),
    oid: tableOid(world.oid),
    key: world.key.map(attnum),
    identified: world.key.map(attnum),
  };
  return {
    kind: "observed",
    topic: TOPIC,
    value: { id: schemaId(id), text: schemaText(fields, unwrapped) },
    key: key === undefined ? undefined : { id: schemaId(id + 1000), text: JSON.stringify(key) },
    table,
  };
}

const stored = (state: State): Stored => ({ ...EMPTY, ...state, evidence: state.evidence.recorded, commandOffset: 0n });
const numRuns = 100;

describe("in watch mode, whatever happens in any order", () => {
  law.prop([runs], { numRuns })("nothing is registered, nothing stops, no row is read again", (run) => {
    for (const { step } of play(run)) {
      expect(step.effects.filter(({ kind }) => kind === "register" || kind === "stop")).toEqual([]);
      expect(step.state.jobs.size).toBe(0);
    }
  });

  law.prop([runs], { numRuns })("the shape is the schema that was observed last, field by field", (run) => {
    for (const { input, step } of play(run)) {
      const { shape, flowed } = tableIn(step.state);
      const row = rowOf(parseSchemaText(shape.valueSchema.text));
      const names = row?.fields.map(({ name }) => name).filter((name) => name !== "__op");
      expect(shape.fields.map(({ avro }) => avro.name)).toEqual(names);
      expect(flowed.at(-1)).toBe(shape.valueSchema);
      if (input.kind === "observed" && input.table.oid === shape.table.oid) expect(shape.valueSchema).toBe(input.value);
    }
  });

  law.prop([runs], { numRuns })(
    "once Debezium has registered the table as it is, nothing waits that it can publish",
    (run) => {
      const { input, step } = play(run).at(-1) ?? {};
      if (input?.kind !== "observed" || step === undefined) throw new Error("the last move is an observation");
      const table = tableIn(step.state);
      if (input.table.oid !== table.shape.table.oid) return;
      const flowing = new Set<unknown>(table.shape.fields.map((field) => field.attnum));
      // The test's Debezium cannot register a key with a column that is not mapped.
      const canBe = ({ unmapped, key }: Amendment) =>
        unmapped === undefined && (key ?? []).every((one) => flowing.has(one));
      expect(withheldOf(table).filter(canBe)).toEqual([]);
      const again = decide(rulesOf(run), step.state, input, WHEN);
      expect(tableIn(again.state)).toEqual(table);
    },
  );

  law.prop([runs], { numRuns })("what is written and read again is the same state", (run) => {
    let before = EMPTY;
    // The last move is an observation, because nothing may have been published before it.
    const records = play(run)
      .slice(0, -1)
      .flatMap(({ step }) => {
        const after = stored(step.state);
        const written = changes(before, after);
        before = after;
        return written;
      });
    const { tables } = replay(records);
    expect(JSON.stringify([...tables])).toBe(JSON.stringify([...withoutAnswers(before).tables]));
  });
});
