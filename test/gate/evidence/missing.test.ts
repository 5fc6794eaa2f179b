import { known } from "../../contract/known.ts";
import { expect, it } from "vitest";
import type { Contract } from "../../../src/contract/contract.ts";
import { missingContracts } from "../../../src/gate/evidence/missing.ts";
import { decide } from "../../../src/gate/decide.ts";
import { findAmendment } from "../../../src/gate/update.ts";
import { fits, ID, idOf, NAME, NICK, play, RULES, seen, stateOf, TOPIC, WHEN } from "../customers.ts";

const BILLING: Contract = {
  version: 1,
  environment: "default",
  consumer: "billing",
  topic: TOPIC,
  decodesWith: "writer",
  unknownFields: "accept",
};

function evidence(...consumers: readonly string[]) {
  const contracts = Object.fromEntries(consumers.map((consumer) => [consumer, 1]));
  return new Map([[TOPIC, { began: 0, at: 0, groups: [], contracts }]]);
}

it("a contract that was seen before and is no longer known is missing", () => {
  const missing = missingContracts(evidence("billing", "search", "constructor"), "default", known(BILLING));
  expect(missing.map(({ consumer }) => consumer)).toEqual(["search", "constructor"]);
});

it("none is missing if all are known, in the same environment", () => {
  expect(missingContracts(evidence("billing"), "default", known(BILLING))).toEqual([]);
  expect(missingContracts(evidence("billing"), "production", known(BILLING))).toHaveLength(1);
});

it("a missing contract withholds, and says how to continue", () => {
  const [missing] = missingContracts(evidence("search"), "default", known());
  if (missing === undefined) throw new Error("none is missing");
  const { state } = play(RULES, stateOf(undefined, missing), seen([ID, NAME, NICK]));
  const judged = decide(RULES, state, fits(state, idOf(NICK)), WHEN).state;
  const amendment = findAmendment(judged, idOf(NICK))?.amendment;
  expect(amendment?.gate).toMatchObject({ kind: "withheld", reason: { kind: "not-ready", consumers: ["search"] } });
  expect(amendment?.verdicts[0]).toMatchObject({
    verdict: "unknown",
    findings: [{ remedy: expect.stringContaining("fieldgate publish") }],
  });
});
