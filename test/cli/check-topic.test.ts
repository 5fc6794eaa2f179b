import { expect, test } from "vitest";
import { checkTopic } from "../../src/cli/check-topic.ts";
import type { Contract } from "../../src/contract/contract.ts";
import { dayOf } from "../../src/contract/severity.ts";
import type { State } from "../../src/gate/state.ts";
import { findAmendment } from "../../src/gate/update.ts";
import { topicView } from "../../src/view.ts";
import {
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
} from "../gate/customers.ts";

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

/** A column comes. */
function newColumn(of: Contract): State {
  const nick = idOf(NICK);
  const rules = { ...RULES, policy: "manual" } as const;
  return play(rules, stateOf(publishing(), of), seen([ID, NAME, NICK]), (now) => fits(now, nick)).state;
}

test.each<[string, Contract, State, string, string]>(
  (
    [
      ["who reads the old key's column", { fields: ["id"] }, otherKey, "not-ready"],
      ["who reads the new key's column", { fields: ["nick"] }, otherKey, "not-ready"],
      ["who lists nothing", {}, otherKey, "not-ready"],
      ["who reads neither", { fields: ["name"] }, otherKey, "ready"],
      ["who is prepared for it", { fields: ["id"], severity: [LOWERED] }, otherKey, "ready"],
      ["who rejects a new column", { fields: ["id"], unknownFields: "reject" }, newColumn, "not-ready"],
      ["who accepts it", { fields: ["id"] }, newColumn, "ready"],
    ] as const
  ).map(([who, more, world, verdict]) => {
    const of = { ...contract, ...more };
    return [who, of, world(of), world === otherKey ? KEY : idOf(NICK), verdict];
  }),
)("check says of what is withheld what can-i-release says: %s", (_who, of, state, id, verdict) => {
  const view = topicView(tableIn(state), undefined);
  const asked = JSON.parse(JSON.stringify(view)) as typeof view; // as it travels
  const { withheld } = checkTopic(of, asked, dayOf(WHEN.time));
  const [{ findings, ...known } = { findings: [] }] = findAmendment(state, id)?.amendment.verdicts ?? [];
  expect(withheld).toMatchObject([{ amendmentId: id, verdict, findings }]);
  expect(known).toMatchObject({ consumer: "replica", verdict });
});
