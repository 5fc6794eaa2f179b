import { expect, test } from "vitest";
import { checkTopic } from "../../../src/cli/check/check-topic.ts";
import type { Contract } from "../../../src/contract/contract.ts";
import { dayOf } from "../../../src/contract/severity.ts";
import type { State } from "../../../src/gate/state.ts";
import { findAmendment } from "../../../src/gate/update.ts";
import type { Column } from "../../../src/table/column.ts";
import { topicView } from "../../../src/service/views.ts";
import {
  column,
  fits,
  ID,
  idOf,
  NAME,
  NICK,
  play,
  publishing,
  RULES,
  seen,
  stateOf,
  tableIn,
  TOPIC,
  WHEN,
} from "../../gate/customers.ts";

const KEY = `${TOPIC}/key`;
const contract: Contract = {
  version: 1,
  environment: "default",
  consumer: "replica",
  topic: TOPIC,
  decodesWith: "writer",
  unknownFields: "accept",
};
const LOWERED = {
  rule: "meaning/key-changed",
  severity: "warning",
  reason: "its cache is rebuilt",
  until: "9999-12-31",
} as const;

/** The key goes from (id) to (id, nick). */
function otherKey(of: Contract): State {
  const all = [ID, NAME, NICK];
  return play(RULES, stateOf(publishing(all), of), seen(all, { key: [1, 3] }), (now) => fits(now, KEY)).state;
}

/** From columns to columns; the amendment of one of them is judged. */
const changed =
  (from: readonly Column[], to: readonly Column[], of: Column) =>
  (by: Contract): State => {
    const rules = { ...RULES, policy: "manual" } as const;
    return play(rules, stateOf(publishing(from), by), seen(to), (now) => fits(now, idOf(of))).state;
  };
const newColumn = changed([ID, NAME], [ID, NAME, NICK], NICK);
const RANK = column(2, "rank", "int");
const otherType = changed([ID, RANK], [ID, column(2, "rank", "bigint")], RANK);
/** Dropped, and made again under its name. */
const AGAIN = column(3, "name", "text");
const otherColumn = changed([ID, NAME], [ID, AGAIN], AGAIN);

const REJECTS = { fields: ["id"], unknownFields: "reject" } as const;

test.each<[string, Partial<Contract>, (by: Contract) => State, string, string]>([
  ["who reads the old key's column", { fields: ["id"] }, otherKey, KEY, "not-ready"],
  ["who reads the new key's column", { fields: ["nick"] }, otherKey, KEY, "not-ready"],
  ["who lists nothing", {}, otherKey, KEY, "not-ready"],
  ["who reads neither", { fields: ["name"] }, otherKey, KEY, "ready"],
  ["who is prepared for it", { fields: ["id"], severity: [LOWERED] }, otherKey, KEY, "ready"],
  ["who rejects a new column", REJECTS, newColumn, idOf(NICK), "not-ready"],
  ["who accepts it", { fields: ["id"] }, newColumn, idOf(NICK), "ready"],
  ["who rejects new columns, of another type of an old one", REJECTS, otherType, idOf(RANK), "ready"],
  ["who reads a name that another column would have", { fields: ["name"] }, otherColumn, idOf(AGAIN), "not-ready"],
])("check says of what is withheld what can-i-release says: %s", (_who, more, world, id, verdict) => {
  const of = { ...contract, ...more };
  const state = world(of);
  const view = topicView(tableIn(state), undefined);
  const asked = JSON.parse(JSON.stringify(view)) as typeof view; // as it travels
  const { withheld } = checkTopic(of, asked, dayOf(WHEN.time));
  const [{ findings, ...known } = { findings: [] }] = findAmendment(state, id)?.amendment.verdicts ?? [];
  expect(withheld.find(({ amendmentId }) => amendmentId === id)).toMatchObject({ verdict, findings });
  expect(known).toMatchObject({ consumer: "replica", verdict });
});
