import { describe, expect, it } from "vitest";
import type { Input, OperatorCommand, Rules, State } from "../../../src/gate/state.ts";
import { findAmendment } from "../../../src/gate/update.ts";
import {
  candidateFor,
  column,
  effectsOf,
  fieldNames,
  fits,
  ID,
  idOf,
  MANUAL,
  NAME,
  NICK,
  OBSERVE,
  PASSED,
  play,
  publishing,
  registered,
  release,
  REPLICA,
  RULES,
  seen,
  stateOf,
  TOPIC,
  ZIP,
} from "../customers.ts";
import { renderOutcome, type OutcomeText } from "../../../src/words/reason.ts";

const nick = idOf(NICK);
const zip = idOf(ZIP);
const withhold = (ids: readonly string[], more: Partial<OperatorCommand> = {}): Input => {
  const input = release(ids, more);
  if (input.kind !== "command") throw new Error("a command");
  return { ...input, command: { ...input.command, kind: "withhold" } };
};

/** nick and zip are withheld and judged to fit, and rows were published without them. */
function withheld(rules: Rules = MANUAL, from: State = stateOf()): State {
  const both = [ID, NAME, NICK, ZIP];
  return play(
    rules,
    from,
    seen(both, { keyed: from.tables.get(TOPIC)?.shape.key.length !== 0 }),
    (now) => fits(now, nick),
    (now) => fits(now, zip),
    PASSED,
  ).state;
}
function outcome(state: State, command = "c1"): OutcomeText | undefined {
  const found = state.outcomes.get(command);
  return found && renderOutcome(found);
}

describe("a command that cannot be carried out is refused and changes nothing", () => {
  const opposed = withheld(RULES, stateOf(publishing(), REPLICA));
  const keyless = withheld(MANUAL, stateOf(publishing([ID, NAME], false)));
  const silent = play(MANUAL, withheld(), {
    kind: "judged",
    id: nick,
    answer: { kind: "unanswered", code: "registry-down", text: "down" },
  }).state;
  const flowing = play(MANUAL, withheld(), release([nick]), (now) => registered(now, nick)).state;
  const twins = play(MANUAL, withheld(), seen([ID, NAME, NICK, { ...ZIP, name: "nick" }])).state;
  const cases: [string, Rules, State, Input, RegExp][] = [
    [
      "an unknown id",
      MANUAL,
      withheld(),
      release([`${TOPIC}/9`], { id: "c9" }),
      /there is no amendment inventory\.public\.customers\/9/,
    ],
    [
      "one of several unknown: none is released",
      MANUAL,
      withheld(),
      release([nick, "x"], { id: "c9" }),
      /there is no amendment x/,
    ],
    [
      "topic.field of two amendments",
      MANUAL,
      twins,
      release([`${TOPIC}.nick`], { id: "c9" }),
      /could be any of .*\/3, .*\/4/,
    ],
    ["a contract not ready", RULES, opposed, release([nick], { id: "c9" }), /not ready: replica; .*--force --reason/],
    ["force without a reason", RULES, opposed, release([nick], { id: "c9", force: true }), /not ready: replica/],
    [
      "several, each with its reason",
      RULES,
      opposed,
      release([nick, zip], { id: "c9" }),
      /\/3: not ready.*; .*\/4: not ready/,
    ],
    ["a table without a key", MANUAL, keyless, release([nick], { id: "c9" }), /no key.*add --backfill none/],
    [
      "the registry does not answer, even with force",
      MANUAL,
      silent,
      release([nick], { id: "c9", force: true, reason: "r" }),
      /has not answered: \[registry-down\] down/,
    ],
    [
      "withholding a published field",
      MANUAL,
      flowing,
      withhold([nick], { id: "c9" }),
      /already flows: withholding it now would drop the field/,
    ],
  ];

  it.each(cases)("%s", (_, rules, state, input, message) => {
    const step = play(rules, state, input);
    expect(outcome(step.state, "c9")).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(message) as unknown,
    });
    expect(step.effects).toEqual([]);
    expect(step.state.tables).toBe(state.tables);
  });
});

describe("a release", () => {
  it("is pending until everything that it names flows", () => {
    const asked = play(MANUAL, withheld(), release([nick, zip]));
    expect(outcome(asked.state)).toMatchObject({ kind: "pending" });
    expect(effectsOf(asked)).toEqual([`register ${nick}`, `register ${zip}`]);
    const first = play(MANUAL, asked.state, (now) => registered(now, nick));
    expect(outcome(first.state)).toMatchObject({ kind: "pending" });
    expect(fieldNames(first.state)).toEqual(["id", "name", "nick"]);
    const second = play(
      MANUAL,
      first.state,
      (now) => fits(now, zip),
      (now) => registered(now, zip),
    );
    expect(outcome(second.state)?.kind).toBe("done");
    expect(fieldNames(second.state)).toEqual(["id", "name", "nick", "zip"]);
  });

  it("by topic.field while only one amendment has the name", () => {
    expect(effectsOf(play(MANUAL, withheld(), release([`${TOPIC}.nick`])))).toEqual([`register ${nick}`]);
  });

  it("with force overrides a contract, and names the operator", () => {
    const opposed = withheld(RULES, stateOf(publishing(), REPLICA));
    const step = play(RULES, opposed, release([nick], { force: true, reason: "agreed" }), (now) =>
      registered(now, nick),
    );
    expect(findAmendment(step.state, nick)?.amendment.gate).toMatchObject({
      kind: "released",
      reason: { kind: "released-by", actor: "anna", reason: "agreed" },
    });
  });

  it("of a published field is done at once", () => {
    const flowing = play(MANUAL, withheld(), release([nick]), (now) => registered(now, nick)).state;
    expect(outcome(play(MANUAL, flowing, release([nick], { id: "c2" })).state, "c2")).toEqual({
      kind: "done",
      message: "already released",
    });
  });

  it("that is received twice is carried out once", () => {
    const once = play(MANUAL, withheld(), release([nick])).state;
    expect(play(MANUAL, once, release([nick]))).toEqual({ state: once, effects: [] });
  });

  it("that another command supersedes is refused, not left pending", () => {
    const step = play(MANUAL, withheld(), release([nick]), withhold([nick], { id: "c2" }));
    expect(outcome(step.state)).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("another command") as unknown,
    });
    expect(outcome(step.state, "c2")?.kind).toBe("done");
    expect(play(MANUAL, step.state, (now) => registered(now, nick)).state.tables.get(TOPIC)?.shape.fields).toHaveLength(
      2,
    );
  });

  it("whose column is dropped is refused, not left pending", () => {
    const step = play(MANUAL, withheld(), release([nick]), seen([ID, NAME, ZIP]));
    expect(outcome(step.state)).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("dropped") as unknown,
    });
  });

  it("given before the registry's answer, as right after a restart, is carried out with the answer", () => {
    const asked = play(MANUAL, stateOf(), seen([ID, NAME, NICK]), release([nick]));
    expect(outcome(asked.state)).toMatchObject({ kind: "pending" });
    const done = play(
      MANUAL,
      asked.state,
      (now) => fits(now, nick),
      (now) => registered(now, nick),
    );
    expect(outcome(done.state)?.kind).toBe("done");
    expect(fieldNames(done.state)).toEqual(["id", "name", "nick"]);
  });

  it("given before the registry's answer is refused if the registry rejects the candidate", () => {
    const asked = play(MANUAL, stateOf(), seen([ID, NAME, NICK]), release([nick]));
    const candidate = candidateFor(asked.state, nick);
    const no: Input = { kind: "judged", id: nick, answer: { kind: "refused", candidate, text: "no default" } };
    const step = play(MANUAL, asked.state, no);
    expect(outcome(step.state)).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("no default") as unknown,
    });
    expect(findAmendment(step.state, nick)?.amendment.order).toBeUndefined();
  });

  it("that the registry rejects is answered with its reason", () => {
    const asked = play(MANUAL, withheld(), release([nick]));
    const { hash } = registered(asked.state, nick) as { hash: string }; // of kind registered
    const no: Input = { kind: "registration-refused", id: nick, hash, text: "409 level" };
    expect(outcome(play(MANUAL, asked.state, no).state)).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("409 level") as unknown,
    });
  });
});

describe("withhold", () => {
  it("withholds what the policy would release", () => {
    const step = play(
      OBSERVE,
      stateOf(),
      seen([ID, NAME, NICK]),
      withhold([nick]),
      (now) => fits(now, nick),
      (now) => registered(now, nick),
    );
    expect(findAmendment(step.state, nick)?.amendment.gate).toMatchObject({
      kind: "withheld",
      reason: { kind: "operator-withheld", actor: "anna" },
    });
    expect(fieldNames(step.state)).toEqual(["id", "name"]);
  });

  it("given while the schema is registered outlives the registry's refusal, even if another form fits", () => {
    const level = column(3, "level", "int", { notNull: true });
    const asked = play(RULES, stateOf(), seen([ID, NAME, level]), (now) => fits(now, nick), withhold([nick])).state;
    const { hash } = candidateFor(asked, nick);
    const wider = candidateFor(asked, nick, true);
    const step = play(
      RULES,
      asked,
      { kind: "registration-refused", id: nick, hash, text: "409 level" },
      { kind: "judged", id: nick, answer: { kind: "fits", candidate: wider } },
    );
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(findAmendment(step.state, nick)?.amendment.gate).toMatchObject({
      reason: { kind: "operator-withheld", actor: "anna" },
    });
    expect(outcome(step.state)?.kind).toBe("done");
  });

  it("of a candidate that the registry rejected keeps its answer and does not ask again", () => {
    const candidate = candidateFor(withheld(), nick);
    const no: Input = { kind: "judged", id: nick, answer: { kind: "refused", candidate, text: "no default" } };
    const step = play(MANUAL, withheld(), no, withhold([nick]));
    expect(effectsOf(step)).toEqual([`alert ${nick}`]);
    expect(findAmendment(step.state, nick)?.amendment).toMatchObject({
      answer: { kind: "refused" },
      order: { kind: "withhold" },
      gate: { reason: { kind: "registry-refused", text: "no default" } },
    });
  });

  it("instead of a field beside the old one is about the column alone, which is judged again", () => {
    const renamed = column(2, "title", "text");
    const beside = release([idOf(NAME)], { beside: { name: "title" } });
    const asked = play(MANUAL, stateOf(), seen([ID, renamed]), beside).state;
    const step = play(MANUAL, asked, withhold([idOf(NAME)], { id: "c2" }));
    expect(effectsOf(step)).toContain(`judge ${idOf(NAME)}`);
    expect(findAmendment(step.state, idOf(NAME))?.amendment.answer).toBeUndefined();
  });

  it("is revoked by a release", () => {
    const step = play(MANUAL, withheld(), withhold([nick]), release([nick], { id: "c2" }), (now) =>
      registered(now, nick),
    );
    expect(fieldNames(step.state)).toEqual(["id", "name", "nick"]);
  });
});

describe("the backfill of a release", () => {
  const released = (command: Partial<OperatorCommand>, estimatedRows = 10, state = withheld()) =>
    play(MANUAL, state, release([nick], command), (now) => registered(now, nick, { estimatedRows })).state;
  const job = (state: State) => state.jobs.get(`backfill/${nick}`);

  it("runs for rows that were published without the field", () => {
    expect(job(released({}))).toMatchObject({ state: "running", due: "not-null", cursor: undefined, estimate: 10 });
  });

  it("is not made when no value was missed, unless it is asked for", () => {
    const fresh = play(MANUAL, stateOf(), seen([ID, NAME, NICK]), (now) => fits(now, nick)).state;
    expect(job(released({}, 10, fresh))).toBeUndefined();
    expect(job(released({ backfill: "all" }, 10, fresh))?.state).toBe("running");
  });

  it("is not made with --backfill none", () => {
    expect(job(released({ backfill: "none" }))).toBeUndefined();
  });

  it("waits above fieldgate.backfill.max.rows, and an operator decides whether it continues", () => {
    const waiting = released({}, 1001);
    expect(job(waiting)).toMatchObject({
      state: "waiting",
      reason: { kind: "too-many-rows", rows: 1001, amendment: nick },
    });
    expect(job(released({}, 1000))?.state).toBe("running");
    expect(job(released({ backfill: "all" }, 1001))?.state).toBe("running");
    expect(job(play(MANUAL, waiting, release([nick], { id: "c2", backfill: "all" })).state)).toMatchObject({
      state: "running",
      reason: undefined,
    });
    expect(job(play(MANUAL, waiting, release([nick], { id: "c2", backfill: "none" })).state)).toMatchObject({
      state: "done",
    });
    expect(job(play(MANUAL, waiting, release([nick], { id: "c2" })).state)?.state).toBe("waiting");
  });

  it("of a table without a key is refused with the reason if it is asked for", () => {
    const keyless = play(
      MANUAL,
      stateOf(publishing([ID, NAME], false)),
      seen([ID, NAME, NICK], { keyed: false }),
      (now) => fits(now, nick),
    ).state;
    expect(job(released({ backfill: "all" }, 10, keyless))).toMatchObject({
      state: "refused",
      reason: { kind: "keyless" },
    });
  });

  it("publishes all rows for a default that a consumer with the writer's schema cannot see", () => {
    const level = column(3, "level", "int", { notNull: true, defaultExpr: "5", missing: "5" });
    const ready = { ...REPLICA, fields: ["id", "name", "level"] };
    const step = play(
      RULES,
      stateOf(publishing(), ready),
      seen([ID, NAME, level]),
      (now) => fits(now, nick),
      (now) => registered(now, nick),
    );
    expect(job(step.state)).toMatchObject({ state: "running", due: "all" });
    const alone = play(
      RULES,
      stateOf(),
      seen([ID, NAME, level]),
      (now) => fits(now, nick),
      (now) => registered(now, nick),
    );
    expect(job(alone.state)).toBeUndefined();
  });
});
