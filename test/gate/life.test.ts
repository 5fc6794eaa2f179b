import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { envelopeSchema } from "../../src/event/envelope/schema.ts";
import { decide } from "../../src/gate/decide.ts";
import { type Life, LIFE, lifeOf } from "../../src/gate/life.ts";
import type { Input, Rules, State } from "../../src/gate/state.ts";
import { type Column, tableOid } from "../../src/table/column.ts";
import { REASON_KINDS } from "../../src/words/reason.ts";
import { schemaId } from "../../src/table/shape.ts";
import {
  added,
  column,
  fieldFor,
  fits,
  ID,
  idOf,
  NAME,
  NICK,
  publishing,
  registered,
  release,
  RULES,
  seen,
  stateOf,
  tableIn,
  tableOf,
  TOPIC,
  WHEN,
} from "./customers.ts";
import { anyMove, inputOf, type Move, newWorld } from "./world.ts";

const LIVES = Object.keys(LIFE) as readonly Life[]; // the table has exactly these
const INPUTS = Object.keys(LIFE.absent) as readonly Input["kind"][]; // and a row has exactly these

/** An input with the state that it led to, such as `judged seen`. */
type Steps = Map<string, Set<Life>>;

function note(steps: Steps, before: State, input: Input, after: State): void {
  const [was, is] = [before, after].map(
    (state) => new Map([...state.tables.values()].flatMap((table) => table.amendments).map((one) => [one.id, one])),
  );
  for (const id of new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])) {
    const key = `${lifeOf(was?.get(id))} ${input.kind}`;
    steps.set(key, (steps.get(key) ?? new Set()).add(lifeOf(is?.get(id))));
  }
}

const PARKED: Input = { kind: "parked", topic: TOPIC, id: "p1", why: { code: "value-unfit", text: "", field: "name" } };

/** The result of a look is about the table as a whole, and about no amendment; so is a park, and a poisoned row. */
const LOOKS: readonly Input[] = [
  PARKED,
  {
    kind: "job-stuck",
    id: "repair/x",
    stuck: { code: "value-unfit", field: "name", at: undefined, text: "", next: undefined },
  },
  { kind: "replacement-rows", topic: TOPIC, rows: 1 },
  { kind: "replaced-over", topic: TOPIC },
  { kind: "replayed", topic: TOPIC, written: 2, replayed: 1, passedOver: 0 },
  { kind: "unparked", topic: TOPIC, written: 2, passedOver: 0 },
  { kind: "park-reported", topic: TOPIC, id: "p1" },
  { kind: "sent", topic: TOPIC, sent: { kind: "unlogged" }, news: { kind: "again" } },
  { kind: "gap-reported", topic: TOPIC, since: WHEN.position },
  { kind: "labels-published", topic: TOPIC, unseen: { labels: [], at: WHEN.position } },
  {
    kind: "poisoned",
    topic: TOPIC,
    counts: { null: 1, "dead-letter": 2 },
    last: { way: "null", code: "value-unfit", field: "name", position: WHEN.position },
  },
  {
    kind: "row-stuck",
    topic: TOPIC,
    stuck: { at: "log 0/1 0", code: "value-unfit", field: "name", ways: ["dead-letter"] },
  },
  { kind: "row-passed", topic: TOPIC, way: "dead-letter" },
  { kind: "poison-reported", topic: TOPIC, reported: { count: 3, time: WHEN.time, times: 1 } },
];

function playAll(
  steps: Steps,
  rules: Rules,
  start: State,
  inputs: Iterable<(state: State) => Input | undefined>,
): void {
  let state = start;
  for (const make of inputs) {
    const input = make(state);
    if (input === undefined) continue;
    const next = decide(rules, state, input, WHEN).state;
    note(steps, state, input, next);
    state = next;
    const parked = decide(rules, state, PARKED, WHEN).state;
    for (const look of LOOKS) {
      note(steps, state, look, decide(rules, state, look, WHEN).state);
      note(steps, parked, look, decide(rules, parked, look, WHEN).state);
    }
  }
}

const run = fc.record({
  policy: fc.constantFrom("observe" as const, "contracts" as const, "strict" as const, "manual" as const),
  mode: fc.constantFrom("guard" as const, "guard" as const, "watch" as const),
  keyed: fc.boolean(),
  moves: fc.array(
    fc.oneof(
      { weight: 12, arbitrary: anyMove },
      {
        weight: 1,
        arbitrary: fc.constantFrom("observed", "observed without", "null-found", "captured"),
      },
    ),
    { minLength: 10, maxLength: 60 },
  ),
});

/** Random runs with fixed seeds. Inputs that no move produces are made from the table as it is at that moment. */
function randomSteps(): Steps {
  const steps: Steps = new Map();
  for (const { policy, mode, keyed, moves } of fc.sample(run, { numRuns: 1500, seed: 7 })) {
    const world = newWorld(keyed);
    const rules: Rules = { ...RULES, "fieldgate.release.policy": policy, mode };
    const moved = moves.filter((move) => mode === "watch" || (move !== "observed" && move !== "observed without"));
    const make = (move: Move | string) => (state: State) =>
      typeof move === "string" ? extraInput(move, state, world.columns) : inputOf(world, state, move);
    playAll(steps, rules, stateOf(publishing([ID, NAME], keyed)), moved.map(make));
  }
  return steps;
}

function extraInput(kind: string, state: State, columns: readonly Column[]): Input {
  const table = tableIn(state);
  switch (kind) {
    case "null-found":
      return { kind, topic: TOPIC, field: table.shape.fields.at(-1)?.name ?? "" };
    case "captured":
      return { kind, table };
    default: {
      const shown = kind === "observed" ? columns : columns.slice(0, -1);
      const fields = shown.filter(({ type }) => type.oid !== 27).map(fieldFor);
      const value = { id: schemaId(50 + table.flowed.length), text: JSON.stringify(envelopeSchema(TOPIC, fields)) };
      const live = { ...tableOf(columns, table.shape.key.length > 0), oid: table.shape.table.oid };
      return { kind: "observed", topic: TOPIC, value, key: undefined, table: live };
    }
  }
}

const STEPS = randomSteps();
const ODD = column(4, "odd", "tid");
playAll(STEPS, RULES, { ...stateOf(), tables: new Map() }, [
  () => ({ kind: "captured", table: { ...publishing(), amendments: [added(NICK), added(ODD)] } }),
]);
const OTHER = { ...tableOf([ID, NAME]), oid: tableOid(6000) };
playAll(STEPS, RULES, stateOf(), [
  () => seen([ID, NAME, NICK, ODD]),
  () => ({ kind: "replaced", topic: TOPIC, table: OTHER }),
  () => ({ kind: "registration-refused", id: `${TOPIC}/table`, hash: "x", text: "409" }),
  () => ({ kind: "registration-awaited", id: `${TOPIC}/table`, hash: "x", subject: `${TOPIC}-value` }),
  () => release([`${TOPIC}/table`], { reason: "agreed" }),
  () => ({ kind: "registration-refused", id: `${TOPIC}/table`, hash: "x", text: "409" }),
  () => ({ kind: "registration-awaited", id: `${TOPIC}/table`, hash: "x", subject: `${TOPIC}-value` }),
]);
playAll(STEPS, RULES, stateOf(), [
  () => seen([ID, NAME, NICK, ODD]),
  () => ({ kind: "replaced", topic: TOPIC, table: OTHER }),
  () => release([`${TOPIC}/table`], { reason: "agreed" }),
]);
playAll(STEPS, RULES, stateOf(), [
  () => ({ kind: "replaced", topic: TOPIC, table: tableOf([ID, NAME]), unexplained: "columns-not-sent" }),
]);
// Two columns swap their names: one is judged, and its registration releases both.
playAll(STEPS, RULES, stateOf(publishing([ID, NAME, NICK])), [
  () => seen([ID, { ...NAME, name: NICK.name }, { ...NICK, name: NAME.name }]),
  (now) => fits(now, idOf(NAME)),
  (now) => registered(now, idOf(NAME)),
]);

describe("the table of states", () => {
  it("every input leads an amendment from each state to exactly the states that the table lists", () => {
    const said = LIVES.flatMap((life) => INPUTS.map((input) => [`${life} ${input}`, LIFE[life][input].to] as const));
    const found = said.map(([key]) => [key, [...(STEPS.get(key) ?? [])].toSorted()]);
    expect(found).toEqual(said.map(([key, to]) => [key, [...to].toSorted()]));
  });
});

const HEAD = ["input", ...LIVES];

/**
 * The table as docs/gate.md shows it: `-` for a cell that is never reached, `=` for one that does not change the state.
 */
function docTable(): string {
  const rows = INPUTS.toSorted().map((input) => [
    `\`${input}\``,
    ...LIVES.map((life) => {
      const { to } = LIFE[life][input];
      if (to.length === 0) return "-";
      return to.length === 1 && to[0] === life ? "=" : to.toSorted().join(", ");
    }),
  ]);
  return [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const PAGE = readFileSync(new URL("../../docs/gate.md", import.meta.url), "utf8");

describe("docs/gate.md", () => {
  it("shows the table", () => {
    expect(PAGE).toContain(docTable());
  });

  it("lists every reason, each with a sentence", () => {
    const listed = [...PAGE.slice(PAGE.indexOf("## Reasons")).matchAll(/^\| `([a-z-]+)` \| [A-Z]/gm)].map(
      ([, kind]) => kind,
    );
    expect(listed).toEqual(REASON_KINDS);
  });
});

function titles(): string {
  const folder = new URL("./", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  return files.map((file) => readFileSync(new URL(file, folder), "utf8")).join("\n");
}

describe("each cell of the table", () => {
  it("names a test that exists", () => {
    const all = titles();
    const named = LIVES.flatMap((life) => INPUTS.map((input) => LIFE[life][input].test));
    expect([...new Set(named)].filter((title) => !all.includes(`"${title}"`))).toEqual([]);
  });
});
