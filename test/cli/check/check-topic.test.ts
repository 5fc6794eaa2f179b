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

/** The key changes from (id) to (id, nick). */
function changeKey(of: Contract): State {
  const all = [ID, NAME, NICK];
  return play(RULES, stateOf(publishing(all), of), seen(all, { key: [1, 3] }), (now) => fits(now, KEY)).state;
}

/** A table whose columns change; the amendment of `of` is judged. */
const changed =
  (from: readonly Column[], to: readonly Column[], of: Column) =>
  (by: Contract): State => {
    const rules = { ...RULES, policy: "manual" } as const;
    return play(rules, stateOf(publishing(from), by), seen(to), (now) => fits(now, idOf(of))).state;
  };
const newColumn = changed([ID, NAME], [ID, NAME, NICK], NICK);
const RANK = column(2, "rank", "int");
const changeType = changed([ID, RANK], [ID, column(2, "rank", "bigint")], RANK);
/** A column that was dropped and recreated under the same name. */
const AGAIN = column(3, "name", "text");
const recreateColumn = changed([ID, NAME], [ID, AGAIN], AGAIN);

const REJECTS = { fields: ["id"], unknownFields: "reject" } as const;

test.each<[string, Partial<Contract>, (by: Contract) => State, string, string]>([
  ["a consumer that reads the old key's column", { fields: ["id"] }, changeKey, KEY, "not-ready"],
  ["a consumer that reads the new key's column", { fields: ["nick"] }, changeKey, KEY, "not-ready"],
  ["a consumer that lists no fields", {}, changeKey, KEY, "not-ready"],
  ["a consumer that reads neither", { fields: ["name"] }, changeKey, KEY, "ready"],
  ["a consumer that is prepared for the new key", { fields: ["id"], severity: [LOWERED] }, changeKey, KEY, "ready"],
  ["a consumer that rejects a new column", REJECTS, newColumn, idOf(NICK), "not-ready"],
  ["a consumer that accepts a new column", { fields: ["id"] }, newColumn, idOf(NICK), "ready"],
  ["a consumer that rejects new columns, for a changed type", REJECTS, changeType, idOf(RANK), "ready"],
  [
    "a consumer that reads the name of a recreated column",
    { fields: ["name"] },
    recreateColumn,
    idOf(AGAIN),
    "not-ready",
  ],
])("check and can-i-release give the same verdict for a withheld field: %s", (_who, more, world, id, verdict) => {
  const of = { ...contract, ...more };
  const state = world(of);
  const view = topicView(tableIn(state), { environment: "default", severity: undefined });
  const asked = JSON.parse(JSON.stringify(view)) as typeof view; // as sent over HTTP
  const { withheld } = checkTopic(of, asked, dayOf(WHEN.time));
  const [{ findings, ...known } = { findings: [] }] = findAmendment(state, id)?.amendment.verdicts ?? [];
  expect(withheld.find(({ amendmentId }) => amendmentId === id)).toMatchObject({ verdict, findings });
  expect(known).toMatchObject({ consumer: "replica", verdict });
});
