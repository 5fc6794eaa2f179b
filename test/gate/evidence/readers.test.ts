import { known } from "../../contract/known.ts";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../../src/contract/contract.ts";
import { findAmendment } from "../../../src/gate/update.ts";
import { evidenceAgainst } from "../../../src/gate/evidence/readers.ts";
import { fits, ID, idOf, NAME, NICK, play, RULES, seen, stateOf, TOPIC } from "../customers.ts";

const accepting = (consumer: string, more: Partial<Contract> = {}): Contract => ({
  version: 1,
  environment: "default",
  consumer,
  topic: TOPIC,
  decodesWith: "writer",
  unknownFields: "accept",
  ...more,
});
const findingsOn = (contract: Contract, other: Contract) => {
  const contracts = known(contract, other);
  return evidenceAgainst(RULES, { ...stateOf(), contracts }, contract).map(({ message }) => message);
};

describe("a group that contracts of two consumers name", () => {
  const BILLING = accepting("billing", { groups: ["search"] });
  const SEARCH = accepting("search");

  it("makes both verdicts unknown, so that nothing is released for a reader that a contract only claims", () => {
    const { state } = play(RULES, stateOf(undefined, BILLING, SEARCH), seen([ID, NAME, NICK]), (now) =>
      fits(now, idOf(NICK)),
    );
    const amendment = findAmendment(state, idOf(NICK))?.amendment;
    expect(amendment?.gate.kind).toBe("withheld");
    expect(amendment?.verdicts).toMatchObject([
      {
        consumer: "billing",
        verdict: "unknown",
        findings: [{ message: expect.stringContaining("named by search too") }],
      },
      {
        consumer: "search",
        verdict: "unknown",
        findings: [{ message: expect.stringContaining("named by billing too") }],
      },
    ]);
  });

  it("is a finding for each of them", () => {
    expect(findingsOn(BILLING, SEARCH)).toEqual([
      "the group search is named by search too, and a group belongs to one consumer",
    ]);
    expect(findingsOn(SEARCH, BILLING)).toEqual([
      "the group search is named by billing too, and a group belongs to one consumer",
    ]);
  });

  it.each<[what: string, other: Contract]>([
    ["another version of the same consumer's contract names", { ...BILLING, groups: ["search", "billing-2"] }],
    ["a contract on another topic names", { ...SEARCH, topic: "inventory.public.orders" }],
    ["a contract for another environment names", { ...SEARCH, environment: "staging" }],
  ])("is not one that also %s", (_, other) => {
    expect(findingsOn(BILLING, other)).toEqual([]);
  });
});
