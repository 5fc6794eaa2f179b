import type { Amendment } from "./amendment/amendment.ts";
import type { Input } from "./state.ts";

/**
 * Specifies an amendment's life: which inputs lead from which state to which others. `decide` does not read this table.
 * A test runs thousands of random inputs and checks both directions: `decide` takes no step outside the table, and
 * every cell of the table is reached. docs/gate.md shows the same table.
 */

/**
 * `absent`: nothing differs. `unjudged`: the registry has not been asked about the present candidate. `blocked`: no
 * policy and no operator can release it (the registry rejected it or did not answer, its type is not supported, its
 * column has been dropped again). `judged`: the registry accepts it; policy, contracts and operators decide.
 * `replaced`: the table itself was replaced, and an operator has to accept that. `released`: it is in the events.
 */
export type Life = "absent" | "unjudged" | "blocked" | "judged" | "replaced" | "released";

export function lifeOf(amendment: Amendment | undefined): Life {
  if (amendment === undefined) return "absent";
  const { gate, kind, gone, unmapped, answer } = amendment;
  if (gate.kind === "released") return "released";
  if (kind === "table") return "replaced";
  if (gone || unmapped !== undefined) return "blocked";
  if (answer === undefined) return "unjudged";
  return answer.kind === "fits" ? "judged" : "blocked";
}

/** The states that an input may lead to, and the title of a test that shows it. */
export interface Cell {
  readonly to: readonly Life[];
  readonly test: string;
}

const LAW = "every input leads an amendment from each state to exactly the states that the table lists";

function stays(life: Life): Cell {
  return { to: [life], test: LAW };
}

function leads(to: readonly Life[], test: string): Cell {
  return { to, test };
}

/** Either the input cannot occur in this state, or it has no amendment to act on. */
const NONE: Cell = { to: [], test: LAW };

/** Inputs that never change an amendment's state. */
type Idle =
  | "alerted"
  | "contract"
  | "gap-reported"
  | "groups"
  | "job-stuck"
  | "labels-published"
  | "park-reported"
  | "parked"
  | "passed"
  | "poison-reported"
  | "poisoned"
  | "replacement-rows"
  | "replayed"
  | "row-passed"
  | "row-stuck"
  | "sent"
  | "settle"
  | "undescribed"
  | "unparked";

function idle(life: Life): Readonly<Record<Idle, Cell>> {
  const cell = stays(life);
  return {
    alerted: cell,
    contract: cell,
    "gap-reported": cell,
    groups: cell,
    "job-stuck": cell,
    "labels-published": cell,
    "park-reported": cell,
    parked: cell,
    passed: cell,
    "poison-reported": cell,
    poisoned: cell,
    "replacement-rows": cell,
    replayed: cell,
    "row-passed": cell,
    "row-stuck": cell,
    sent: cell,
    settle: cell,
    undescribed: cell,
    unparked: cell,
  };
}

export const LIFE: Readonly<Record<Life, Readonly<Record<Input["kind"], Cell>>>> = {
  absent: {
    alerted: NONE,
    contract: NONE,
    "gap-reported": NONE,
    groups: NONE,
    "job-stuck": NONE,
    "labels-published": NONE,
    "park-reported": NONE,
    parked: NONE,
    passed: NONE,
    "poison-reported": NONE,
    poisoned: NONE,
    "replaced-over": NONE,
    "replacement-rows": NONE,
    replayed: NONE,
    "row-passed": NONE,
    "row-stuck": NONE,
    sent: NONE,
    settle: NONE,
    undescribed: NONE,
    unparked: NONE,
    ask: NONE,
    command: NONE,
    judged: NONE,
    registered: NONE,
    "registration-awaited": NONE,
    "registration-refused": NONE,
    seen: leads(["unjudged", "blocked"], "of a new column withholds it and asks the registry"),
    captured: leads(["unjudged", "blocked"], LAW),
    "null-found": leads(
      ["unjudged"],
      "counts as a lost NOT NULL, whatever the catalog shows now, and its release makes the field optional",
    ),
    observed: leads(
      ["unjudged", "blocked", "released"],
      "has the shape of the first schema, and a column missing from that is an amendment",
    ),
    replaced: leads(["replaced", "released"], "alerts once, and changes nothing by itself under any policy"),
  },
  unjudged: {
    ...idle("unjudged"),
    "replaced-over": stays("unjudged"),
    ask: stays("unjudged"),
    captured: stays("unjudged"),
    command: leads(["absent", "unjudged"], "ends everything that waited on the old table, and answers its commands"),
    judged: leads(
      ["judged", "blocked", "unjudged"],
      "of a withheld column that is %s has it judged again, and keeps what it missed and why it is withheld",
    ),
    "null-found": stays("unjudged"),
    observed: leads(
      ["absent", "blocked", "released", "unjudged"],
      "releases what it carries, with the schema's id and who was not ready",
    ),
    registered: leads(["released", "unjudged"], "two columns that swap their names are released together"),
    "registration-awaited": stays("unjudged"),
    "registration-refused": stays("unjudged"),
    replaced: leads(["absent", "unjudged"], "is accepted at once, because Debezium continues with the new table"),
    seen: leads(["absent", "blocked", "unjudged"], "without a withheld column forgets its amendment"),
  },
  blocked: {
    ...idle("blocked"),
    "replaced-over": stays("blocked"),
    ask: leads(["unjudged", "blocked"], LAW),
    captured: stays("blocked"),
    command: leads(
      ["absent", "blocked", "unjudged"],
      "ends everything that waited on the old table, and answers its commands",
    ),
    judged: leads(["judged", "blocked"], LAW),
    "null-found": leads(["blocked", "unjudged"], LAW),
    observed: leads(
      ["absent", "blocked", "released", "unjudged"],
      "a column of a type that only Debezium maps is a field like any other",
    ),
    registered: leads(
      ["blocked", "released", "unjudged"],
      "a column that is added under the name of a dropped one is released together with the drop",
    ),
    "registration-awaited": stays("blocked"),
    "registration-refused": stays("blocked"),
    replaced: leads(["absent", "blocked"], "is accepted at once, because Debezium continues with the new table"),
    seen: leads(
      ["absent", "blocked", "unjudged"],
      "of a column that is dropped again in the catalog keeps it out without asking the registry",
    ),
  },
  judged: {
    ...idle("judged"),
    "replaced-over": stays("judged"),
    ask: leads(
      ["unjudged", "judged"],
      "after a restart the registry is asked again, and nothing flows before it has answered",
    ),
    captured: stays("judged"),
    command: leads(
      ["absent", "judged", "unjudged"],
      "asks about a different schema, then both fields flow, and the old one waits",
    ),
    judged: leads(["judged", "blocked", "unjudged"], "rejected by the registry leaves the plain release unchanged"),
    "null-found": leads(["judged", "unjudged"], LAW),
    observed: leads(
      ["absent", "blocked", "released", "unjudged"],
      "without one of two leaves that one waiting, to be judged again on the new shape",
    ),
    registered: leads(
      ["released", "unjudged", "judged"],
      "adds the field in its place, with the schema that was registered, and alerts people",
    ),
    "registration-awaited": leads(["judged"], "keeps the field back until somebody else has registered its schema"),
    "registration-refused": leads(
      ["unjudged", "judged"],
      "keeps the field back and has it judged again; the same schema is not accepted a second time",
    ),
    replaced: leads(["absent", "judged"], "is accepted at once, because Debezium continues with the new table"),
    seen: leads(["absent", "blocked", "judged", "unjudged"], "without a withheld column forgets its amendment"),
  },
  replaced: {
    ...idle("replaced"),
    "replaced-over": leads(["absent"], "is withdrawn once the other table is gone or has lost the name"),
    sent: leads(
      ["absent", "replaced"],
      "that lacks columns in the log is taken in again once all its columns are sent",
    ),
    ask: stays("replaced"),
    captured: stays("replaced"),
    command: leads(["released", "replaced"], "is accepted only with a reason"),
    judged: stays("replaced"),
    "null-found": stays("replaced"),
    // In watch mode a replacement is accepted at once.
    observed: NONE,
    registered: stays("replaced"),
    "registration-awaited": stays("replaced"),
    "registration-refused": stays("replaced"),
    replaced: stays("replaced"),
    seen: stays("replaced"),
  },
  released: {
    ...idle("released"),
    "replaced-over": stays("released"),
    ask: leads(["released"], "asking about a released amendment changes nothing"),
    captured: stays("released"),
    command: leads(["released"], "of a published field is done at once"),
    judged: stays("released"),
    "null-found": leads(["released", "unjudged"], LAW),
    observed: leads(["released", "unjudged"], "a version that lacks a published field makes it wait again"),
    registered: leads(["released"], "a registration that is reported twice changes nothing"),
    "registration-awaited": stays("released"),
    "registration-refused": leads(["released"], "of another schema, of one that flows, or of nothing changes nothing"),
    replaced: leads(
      ["absent", "released", "replaced"],
      "is accepted at once, because Debezium continues with the new table",
    ),
    seen: leads(["released", "unjudged"], "a released field whose column is dropped has one amendment, for the drop"),
  },
};
