import { fc, test as law } from "@fast-check/vitest";
import { withoutAnswers } from "../store/without-answers.ts";
import { describe, expect } from "vitest";
import { parseSchemaText } from "../../src/avro/schema-text.ts";
import { rowOf } from "../../src/contract/row.ts";
import { decide } from "../../src/gate/decide.ts";
import { candidateOf } from "../../src/gate/amendment/candidate.ts";
import { notReady } from "../../src/gate/decision/policy.ts";
import { decisionOn, weigh } from "../../src/gate/decision/settle.ts";
import type { Input, Rules, State, Decided } from "../../src/gate/state.ts";
import type { GroupPoll } from "../../src/gate/evidence/evidence.ts";
import { contractsOn } from "../../src/gate/evidence/readers.ts";
import { findAmendment, withheldOf } from "../../src/gate/update.ts";
import { changes, EMPTY, replay, type Stored } from "../../src/store/records.ts";
import type { Field } from "../../src/table/shape.ts";
import { ID, NAME, publishing, stateOf, tableIn, TOPIC, WHEN, withPolicy } from "./customers.ts";
import { anyMove, inputOf, type Move, newWorld } from "./world.ts";

interface Played {
  readonly before: State;
  readonly input: Input;
  readonly step: Decided;
}

interface Run {
  readonly rules: Rules;
  readonly keyed: boolean;
  readonly moves: readonly Move[];
}

/** Every step of a run that begins with two columns that were just added and seen. */
function play({ rules, keyed, moves }: Run): readonly Played[] {
  const world = newWorld(keyed);
  const add = { kind: "ddl", act: "add", at: 0, defaultExpr: undefined } as const;
  const begin: readonly Move[] = [
    { ...add, type: "text", notNull: false },
    { ...add, type: "int", notNull: true },
    { kind: "seen", ahead: false, doubtful: 0, rewritten: false },
  ];
  let state = stateOf(publishing([ID, NAME], keyed));
  const played: Played[] = [];
  for (const chosen of [...begin, ...moves]) {
    const input = inputOf(world, state, chosen);
    if (input === undefined) continue;
    const step = decide(rules, state, input, WHEN);
    played.push({ before: state, input, step });
    state = step.state;
  }
  return played;
}

const runs: fc.Arbitrary<Run> = fc.record({
  rules: fc
    .constantFrom("observe" as const, "contracts" as const, "strict" as const, "manual" as const)
    .map((policy) => withPolicy(policy)),
  keyed: fc.boolean(),
  moves: fc.array(anyMove, { minLength: 3, maxLength: 40 }),
});
const numRuns = 100;

const WEEK_MS = 7 * 86_400_000;
/** A second, simple computation of the groups that are live after these polls. */
function liveAfter(polls: readonly GroupPoll[]): readonly string[] {
  const moved = new Map<string, { readonly offset: bigint; readonly at: number }>();
  let live: readonly string[] = [];
  for (const poll of polls) {
    if (poll.kind === "unknown") continue;
    const here = poll.byTopic.get(TOPIC) ?? [];
    for (const group of moved.keys()) if (!here.some((one) => one.group === group)) moved.delete(group);
    for (const { group, offsets } of here) {
      const offset = offsets.get(0);
      if (offset !== undefined && moved.get(group)?.offset !== offset) moved.set(group, { offset, at: poll.at });
    }
    const isFresh = (group: string) => poll.at - (moved.get(group)?.at ?? Number.NEGATIVE_INFINITY) <= WEEK_MS;
    live = here.filter(({ group, members }) => members === 1 || isFresh(group)).map(({ group }) => group);
  }
  return live;
}

/** What the events contain for a field. */
const shown = ({ name, avro }: Field) => ({ name, avro });
const stored = (state: State): Stored => ({ ...EMPTY, ...state, evidence: state.evidence.recorded, commandOffset: 0n });

describe("whatever happens, in any order", () => {
  law.prop([runs], { numRuns })("a withheld column is not in the shape, nor in the schema that flows", (run) => {
    for (const { step } of play(run)) {
      const table = tableIn(step.state);
      const flowing = table.shape.fields.map((field) => field.attnum);
      const added = withheldOf(table).filter(({ kind }) => kind === "added");
      for (const { attnum: withheld } of added) expect(flowing).not.toContain(withheld);
    }
  });

  law.prop([runs], { numRuns })("the schema that flows is that of the shape's fields, in their order", (run) => {
    for (const { step } of play(run)) {
      const { shape, flowed } = tableIn(step.state);
      const row = rowOf(parseSchemaText(shape.valueSchema.text));
      expect(row?.fields.map((field) => field.name)).toEqual(shape.fields.map((field) => field.name));
      expect(shape.fields.map((field) => field.avro.name)).toEqual(shape.fields.map((field) => field.name));
      expect(flowed.at(-1)).toBe(shape.valueSchema);
      const key = shape.keySchema === undefined ? undefined : parseSchemaText(shape.keySchema.text);
      const names = key?.kind === "record" ? key.fields.map((field) => field.name) : [];
      expect(names).toEqual(shape.key.map((field) => field.name));
    }
  });

  law.prop([runs], { numRuns })("no two fields have one name", (run) => {
    for (const { step } of play(run)) {
      const names = tableIn(step.state).shape.fields.map((field) => field.name);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  law.prop([runs], { numRuns })(
    "the events change only by a release, of the candidate that was registered, where the policy allows it",
    (run) => {
      for (const { before, input, step } of play(run)) {
        const [old, now] = [tableIn(before).shape, tableIn(step.state).shape];
        if (input.kind !== "registered") {
          expect(now.fields.map(shown)).toEqual(old.fields.map(shown));
          expect(now.key.map(shown)).toEqual(old.key.map(shown));
          expect(now.valueSchema).toBe(old.valueSchema);
          continue;
        }
        if (old === now) continue;
        const was = findAmendment(before, input.id);
        const answer = was?.amendment.answer;
        if (was === undefined || answer?.kind !== "fits") throw new Error("released without an answer");
        expect(was.amendment.gate.kind).toBe("withheld");
        expect(answer.candidate.hash).toBe(input.hash);
        const weighed = { ...was.amendment, verdicts: weigh(run.rules, before, was.table, was.amendment, WHEN) };
        expect(decisionOn(run.rules, before, was.table, weighed).kind).toBe("flows");
        const wide = answer.candidate.widened !== undefined;
        const making = candidateOf(run.rules, was.table, was.amendment, wide);
        if (making.kind === "none") throw new Error(making.why.kind);
        expect(now.fields).toEqual(making.made.shape.fields);
        expect(now.key).toEqual(making.made.shape.key);
        for (const id of [input.id, ...answer.candidate.together]) {
          const beside = id === input.id && was.amendment.order?.beside !== undefined;
          expect(findAmendment(step.state, id)?.amendment.gate.kind).toBe(beside ? "withheld" : "released");
        }
      }
    },
  );

  law.prop([runs], { numRuns })("a fill changes nothing but what a dropped column's field carries", (run) => {
    for (const { before, input, step } of play(run)) {
      const filled = (state: State) => tableIn(state).shape.fields.filter((field) => field.fill !== undefined);
      if (input.kind !== "command" || input.command.kind !== "fill") {
        for (const field of filled(step.state)) {
          expect(filled(before).map(({ name, fill }) => [name, fill])).toContainEqual([field.name, field.fill]);
        }
        continue;
      }
      const dropped = tableIn(before).amendments.filter(({ kind }) => kind === "dropped");
      for (const field of filled(step.state)) expect(dropped.map(({ attnum }) => attnum)).toContain(field.attnum);
      const bare = (state: State) => tableIn(state).shape.fields.map((field) => ({ ...field, fill: undefined }));
      expect(bare(step.state)).toEqual(bare(before));
      expect(step.effects).toEqual([]);
    }
  });

  law.prop([runs], { numRuns })(
    "under contracts nothing flows against a contract that is not ready, except with force",
    (run) => {
      if (run.rules["fieldgate.release.policy"] !== "contracts") return;
      for (const { before, input, step } of play(run)) {
        if (input.kind !== "registered" || tableIn(before).shape === tableIn(step.state).shape) continue;
        const was = findAmendment(before, input.id);
        if (was === undefined) throw new Error("no amendment");
        const waiting = notReady(weigh(run.rules, before, was.table, was.amendment, WHEN));
        if (waiting.length > 0) expect(was.amendment.order).toMatchObject({ kind: "release", force: true });
      }
    },
  );

  law.prop([runs.map((run) => ({ ...run, rules: withPolicy("strict", run.rules) }))], {
    numRuns,
  })("under strict nothing flows while a live group is unnamed, or nobody knows who reads, but by force", (run) => {
    const polls: GroupPoll[] = [];
    for (const { before, input, step } of play(run)) {
      if (input.kind === "groups") polls.push(input.poll);
      if (input.kind !== "registered" || tableIn(before).shape === tableIn(step.state).shape) continue;
      const was = findAmendment(before, input.id)?.amendment;
      if (was === undefined) throw new Error("no amendment");
      if (was.order?.kind === "release" && was.order.force) continue;
      if (was.changes.length > 0 && was.changes.every((change) => change === "labels")) continue;
      expect(polls.at(-1)?.kind).toBe("seen");
      const named = contractsOn(run.rules, before, TOPIC);
      const consumers = named.map(({ consumer }) => consumer);
      for (const group of liveAfter(polls)) expect(consumers).toContain(group);
      expect(notReady(was.verdicts)).toEqual([]);
    }
  });

  law.prop([runs], { numRuns })(
    "a poll of the groups never changes what flows, nor opens or closes a gate by itself",
    (run) => {
      for (const { before, input, step } of play(run)) {
        if (input.kind !== "groups") continue;
        expect(tableIn(step.state).shape).toBe(tableIn(before).shape);
        for (const { id, gate } of tableIn(before).amendments) {
          expect(findAmendment(step.state, id)?.amendment.gate.kind).toBe(gate.kind);
        }
      }
    },
  );

  law.prop([runs], { numRuns })(
    "what a person withholds does not flow; a key or a replaced table flows only by a command",
    (run) => {
      for (const { before, step } of play(run)) {
        for (const { id, gate, kind, order } of tableIn(step.state).amendments) {
          const was = findAmendment(before, id)?.amendment;
          if (gate.kind !== "released" || was?.gate.kind === "released") continue;
          expect(was?.order?.kind).not.toBe("withhold");
          if (kind === "key") expect(order?.kind).toBe("release");
        }
      }
    },
  );

  law.prop([runs], { numRuns })(
    "a released field remains released until its column changes; it is registered once",
    (run) => {
      for (const { before, input, step } of play(run)) {
        for (const { id, gate } of tableIn(before).amendments) {
          if (gate.kind === "withheld" || input.kind === "seen" || input.kind === "replaced") continue;
          const now = findAmendment(step.state, id);
          if (now !== undefined) expect(now.amendment.gate).toBe(gate);
          expect(step.effects).not.toContainEqual(expect.objectContaining({ kind: "register", id }));
        }
      }
    },
  );

  law.prop([runs], { numRuns })("fields stay in the order of their attnums", (run) => {
    for (const { step } of play(run)) {
      const attnums = tableIn(step.state).shape.fields.map((field) => Number(field.attnum));
      if (step.state.tables.size > 0 && tableIn(step.state).shape.table.oid !== 5000) continue;
      expect(attnums).toEqual(attnums.toSorted((a, b) => a - b));
    }
  });

  law.prop([runs], { numRuns })("the same input on the same state gives the same", (run) => {
    for (const { before, input, step } of play(run)) expect(decide(run.rules, before, input, WHEN)).toEqual(step);
  });

  law.prop([runs], { numRuns })("a restart changes nothing: the state's records bring back all of it", (run) => {
    let topic = replay([]);
    const records = [...changes(EMPTY, topic)];
    for (const { before, step } of play(run)) {
      records.push(...changes(stored(before), stored(step.state)));
      topic = stored(step.state);
    }
    const all = [...changes(EMPTY, stored(stateOf(publishing([ID, NAME], run.keyed)))), ...records];
    expect(replay(all)).toEqual({ ...withoutAnswers(topic), contracts: undefined });
  });

  law.prop([runs], { numRuns })("every register effect asks for the schema that would flow from here", (run) => {
    for (const { step } of play(run)) {
      for (const effect of step.effects) {
        if (effect.kind !== "register") continue;
        const found = findAmendment(step.state, effect.id);
        if (found === undefined) throw new Error("registers nothing");
        const making = candidateOf(run.rules, found.table, found.amendment, effect.candidate.widened !== undefined);
        expect(making).toMatchObject({ kind: "made", made: { candidate: { hash: effect.candidate.hash } } });
      }
    }
  });

  law.prop([runs], { numRuns })(
    "a command has an outcome at once; a pending one waits for something; a final one is never undone",
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

  law.prop([runs], { numRuns })("whose column a job reads is a column of the table", (run) => {
    for (const { step } of play(run)) {
      const { shape } = tableIn(step.state);
      for (const job of step.state.jobs.values()) {
        if (job.column === undefined || job.state !== "running") continue;
        expect(Number(job.column)).toBeGreaterThan(0);
        expect(shape.key.length).toBeGreaterThan(0);
      }
    }
  });
});
