import { fc, test as law } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { decide } from "../../src/gate/decide.ts";
import type { Candidate, RegistryAnswer } from "../../src/gate/amendment/amendment.ts";
import { candidateOf, canWiden } from "../../src/gate/amendment/candidate.ts";
import { alertKey } from "../../src/gate/decision/reason.ts";
import type { Effect, Input, Rules, State } from "../../src/gate/state.ts";
import { findAmendment, withheldOf } from "../../src/gate/update.ts";
import { schemaId } from "../../src/table/shape.ts";
import { fieldFor, ID, NAME, NICK, publishing, stateOf, tableIn, TOPIC, WHEN, withPolicy } from "./customers.ts";
import { commandInput, contractInput, ddl, ddls, newWorld, publishedContract, said, saw, sawInput } from "./world.ts";
import type { Ddl, Published, Said, Saw, World } from "./world.ts";

/** A connector that carries out all effects, in any order. `level`: which schemas the registry accepts. */
interface Connector {
  readonly rules: Rules;
  readonly level: "everything" | "no required field";
  state: State;
  readonly judging: Map<string, RegistryAnswer | undefined>;
  registering: { readonly id: string; readonly candidate: Candidate } | undefined;
  readonly alerting: Set<string>;
}

function connector(rules: Rules, level: Connector["level"], state: State): Connector {
  return { rules, level, state, judging: new Map(), registering: undefined, alerting: new Set() };
}

function feed(one: Connector, input: Input): void {
  const { state, effects } = decide(one.rules, one.state, input, WHEN);
  one.state = state;
  for (const effect of effects) run(one, effect);
}

function run(one: Connector, effect: Effect): void {
  if (effect.kind === "stop") throw effect.error;
  if (effect.kind === "alert") one.alerting.add(effect.id);
  else if (effect.kind === "judge" && !one.judging.has(effect.id)) one.judging.set(effect.id, answerOf(one, effect.id));
  else if (effect.kind === "register") one.registering ??= effect;
}

/** Answers as the guard would; undefined if there is nothing left to ask. */
function answerOf({ rules, state, level }: Connector, id: string): RegistryAnswer | undefined {
  const found = findAmendment(state, id);
  if (found === undefined || found.amendment.gate.kind === "released" || found.amendment.kind === "table") return;
  const { table, amendment } = found;
  const making = candidateOf(rules, table, amendment);
  if (making.kind === "none") return { kind: "no-candidate", why: making.why };
  const { made } = making;
  const isFine = level === "everything" || made.field === undefined || made.field.optional;
  if (isFine) return { kind: "fits", candidate: made.candidate };
  const wide = canWiden(made, amendment) ? candidateOf(rules, table, amendment, true) : undefined;
  if (wide?.kind === "made") return { kind: "fits", candidate: wide.made.candidate };
  return { kind: "refused", candidate: made.candidate, text: "required" };
}

/** Carries out one pending effect; false if there is none. */
function work(one: Connector, choice: number): boolean {
  const { judging, registering, alerting } = one;
  const due = [
    ...[...judging.keys()].map((id) => `judge ${id}`),
    ...(registering ? ["register"] : []),
    ...[...alerting].map((id) => `alert ${id}`),
  ];
  const chosen = due[choice % Math.max(1, due.length)];
  if (chosen === undefined) return false;
  const [kind, id = ""] = chosen.split(" ");
  if (kind === "alert") alert(one, id);
  else if (kind === "register") register(one);
  else {
    const answer = judging.get(id);
    judging.delete(id);
    if (answer !== undefined) feed(one, { kind: "judged", id, answer });
  }
  return true;
}

function alert(one: Connector, id: string): void {
  one.alerting.delete(id);
  const amendment = findAmendment(one.state, id)?.amendment;
  if (amendment === undefined) return;
  feed(one, { kind: "alerted", id, alerted: { key: alertKey(amendment), time: WHEN.time, reminders: 0 } });
}

function register(one: Connector): void {
  const { registering } = one;
  one.registering = undefined;
  if (registering === undefined) return;
  const { id, candidate } = registering;
  const answer = findAmendment(one.state, id)?.amendment.answer;
  const isStale = answer?.kind !== "fits" || answer.candidate.hash !== candidate.hash;
  const schema = { id: schemaId(100 + tableIn(one.state).flowed.length), text: candidate.text };
  feed(
    one,
    isStale
      ? { kind: "registration-refused", id, hash: "", text: "" }
      : { kind: "registered", id, hash: candidate.hash, schema, estimatedRows: 10 },
  );
  feed(one, { kind: "settle", topic: TOPIC });
}

function finish(one: Connector): void {
  for (let steps = 0; work(one, 0); steps++) if (steps > 1000) throw new Error("never ends");
}

type Move = Ddl | Saw | Said | Published | { readonly kind: "work"; readonly choice: number };

function move(one: Connector, world: World, chosen: Move): void {
  if (chosen.kind === "ddl") ddl(world, chosen);
  else if (chosen.kind === "seen") feed(one, sawInput(world, chosen));
  else if (chosen.kind === "command") feed(one, commandInput(world, one.state, chosen));
  else if (chosen.kind === "contract") feed(one, contractInput(chosen, world));
  else work(one, chosen.choice);
}

const CLEAR: Saw = { kind: "seen", ahead: false, doubtful: 0, rewritten: false };
const working = fc.record({ kind: fc.constant("work" as const), choice: fc.nat({ max: 4 }) });
const acts = ["add", "add", "drop", "rename", "retype", "null", "default", "swap", "again", "key"] as const;
const runs = fc.record({
  policy: fc.constantFrom("observe" as const, "contracts" as const, "manual" as const),
  level: fc.constantFrom("everything" as const, "no required field" as const),
  keyed: fc.boolean(),
  moves: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: ddls(...acts) },
      { weight: 4, arbitrary: saw },
      { weight: 2, arbitrary: said },
      { weight: 1, arbitrary: publishedContract },
      { weight: 9, arbitrary: working },
    ),
    { maxLength: 40 },
  ),
});
const START = [ID, NAME, NICK];

function begin(policy: Rules["fieldgate.release.policy"], level: Connector["level"], keyed: boolean) {
  const one = connector(withPolicy(policy), level, stateOf(publishing(START, keyed)));
  return { one, world: { ...newWorld(keyed), columns: START, next: 4, names: 4 } };
}

const numRuns = 150;

describe("while the guard carries out all effects", () => {
  law.prop([runs], { numRuns })(
    "everything settles, and people are alerted to everything that is withheld, and why",
    (given) => {
      const { one, world } = begin(given.policy, given.level, given.keyed);
      for (const chosen of given.moves) move(one, world, chosen);
      finish(one);
      for (const amendment of withheldOf(tableIn(one.state))) expect(amendment.alerted?.key).toBe(alertKey(amendment));
    },
  );

  law.prop([runs], { numRuns })("what is released by force is what a fresh start would publish", (given) => {
    const { one, world } = begin(given.policy, "everything", given.keyed);
    for (const chosen of given.moves) {
      if (chosen.kind !== "command" || chosen.beside === undefined) move(one, world, chosen);
    }
    for (let round = 0; round < 5; round++) {
      finish(one);
      feed(one, sawInput(world, CLEAR));
      finish(one);
      const ids = withheldOf(tableIn(one.state))
        .filter(({ unmapped }) => unmapped === undefined)
        .map(({ id }) => id);
      // All members have to be named. What cannot flow yet is in the next round.
      for (const chosen of [ids, ...ids.map((id) => [id])]) {
        world.commands += 1;
        const more = { reason: "r", force: true, backfill: "none" as const, actor: "anna" };
        feed(one, { kind: "command", command: { id: `c${world.commands}`, kind: "release", ids: chosen, ...more } });
        finish(one);
      }
    }
    const { shape, amendments } = tableIn(one.state);
    if (amendments.some(({ unmapped, gate }) => unmapped !== undefined && gate.kind === "withheld")) return;
    expect(withheldOf(tableIn(one.state)).map(({ id, gate }) => [id, gate.reason])).toEqual([]);
    const fresh = world.columns.filter(({ type }) => type.oid !== 27).map(fieldFor);
    const { fields } = publishing(START).shape;
    expect(fields).toHaveLength(3);
    expect(shape.fields.map(({ name, attnum, type }) => [name, attnum, type.oid])).toEqual(
      fresh.map(({ name, attnum, type }) => [name, attnum, type.oid]),
    );
    expect(shape.fields.map(({ avro }) => avro)).toEqual(fresh.map(({ avro }) => avro));
    const key = world.key.flatMap((at) => fresh.filter(({ attnum }) => attnum === at));
    expect(shape.key.map(({ name }) => name)).toEqual(key.map(({ name }) => name));
  });

  law.prop(
    [
      fc.array(fc.oneof(ddls("add", "rename", "retype", "null", "default", "swap", "key"), saw, working), {
        maxLength: 30,
      }),
    ],
    { numRuns },
  )("DDL that is undone before it is released leaves nothing withheld", (moves) => {
    const { one, world } = begin("manual", "everything", true);
    const before = tableIn(one.state).shape.fields;
    for (const chosen of moves) move(one, world, chosen);
    world.columns = START;
    world.key = [1];
    feed(one, sawInput(world, CLEAR));
    finish(one);
    expect(withheldOf(tableIn(one.state))).toEqual([]);
    expect(tableIn(one.state).shape.fields).toEqual(before);
  });
});
