import { describe, expect, it } from "vitest";
import type { Amendment, Order, Verdict } from "../../../src/gate/amendment/amendment.ts";
import { mayFlow, notReady, type ReleasePolicy } from "../../../src/gate/decision/policy.ts";
import { added, column, madeOf, NICK, publishing } from "../customers.ts";
import type { Reason } from "../../../src/gate/decision/reason.ts";

const { candidate } = madeOf(publishing(), added(NICK));
const FITS: Amendment = { ...added(NICK), answer: { kind: "fits", candidate } };

function verdict(is: Verdict["verdict"], consumer = "replica"): Verdict {
  return { consumer, environment: "default", verdict: is, findings: [] };
}

function order(kind: Order["kind"], more: Partial<Order> = {}): Order {
  return { kind, actor: "anna", reason: undefined, force: false, backfill: undefined, command: "c1", ...more };
}

describe("whether a field may flow", () => {
  const cases: [string, ReleasePolicy, Partial<Amendment>, boolean, "flows" | "waits", Reason][] = [
    ["observe, not judged", "observe", { answer: undefined }, false, "waits", { kind: "not-judged" }],
    ["observe, unopposed", "observe", {}, false, "flows", { kind: "policy-observe" }],
    ["observe, opposed", "observe", { verdicts: [verdict("not-ready")] }, false, "flows", { kind: "policy-observe" }],
    [
      "observe, the registry does not answer",
      "observe",
      { answer: { kind: "unanswered", code: "registry-down", text: "down" } },
      false,
      "waits",
      { kind: "registry-unanswered", code: "registry-down", text: "down" },
    ],
    [
      "observe, refused",
      "observe",
      { answer: { kind: "refused", candidate, text: "level" } },
      false,
      "waits",
      { kind: "registry-refused", text: "level" },
    ],
    ["observe, dropped again", "observe", { gone: true }, false, "waits", { kind: "column-dropped-again" }],
    ["contracts, none", "contracts", {}, false, "flows", { kind: "all-ready", count: 0, policy: "contracts" }],
    [
      "contracts, all ready",
      "contracts",
      { verdicts: [verdict("ready"), verdict("ready", "b")] },
      false,
      "flows",
      { kind: "all-ready", count: 2, policy: "contracts" },
    ],
    [
      "contracts, the only one ready",
      "contracts",
      { verdicts: [verdict("ready")] },
      false,
      "flows",
      { kind: "all-ready", count: 1, policy: "contracts" },
    ],
    [
      "contracts, one not ready",
      "contracts",
      { verdicts: [verdict("ready"), verdict("not-ready", "b")] },
      false,
      "waits",
      { kind: "not-ready", consumers: ["b"] },
    ],
    [
      "contracts, one unknown",
      "contracts",
      { verdicts: [verdict("unknown")] },
      false,
      "waits",
      { kind: "not-ready", consumers: ["replica"] },
    ],
    ["contracts, not judged", "contracts", { answer: undefined }, false, "waits", { kind: "not-judged" }],
    ["manual", "manual", {}, false, "waits", { kind: "policy-manual" }],
    ["manual, released", "manual", { order: order("release") }, false, "flows", { kind: "released-by", actor: "anna" }],
    [
      "manual, released with a reason",
      "manual",
      { order: order("release", { reason: "asked" }) },
      false,
      "flows",
      { kind: "released-by", actor: "anna", reason: "asked" },
    ],
    [
      "manual, released, a contract not ready",
      "manual",
      { order: order("release"), verdicts: [verdict("not-ready")] },
      false,
      "waits",
      { kind: "not-ready", consumers: ["replica"] },
    ],
    [
      "manual, released, a contract unknown",
      "manual",
      { order: order("release"), verdicts: [verdict("unknown")] },
      false,
      "waits",
      { kind: "not-ready", consumers: ["replica"] },
    ],
    [
      "manual, forced",
      "manual",
      { order: order("release", { force: true, reason: "r" }), verdicts: [verdict("not-ready")] },
      false,
      "flows",
      { kind: "released-by", actor: "anna", reason: "r" },
    ],
    [
      "manual, released, refused by the registry",
      "manual",
      { order: order("release", { force: true }), answer: { kind: "refused", candidate, text: "level" } },
      false,
      "waits",
      { kind: "registry-refused", text: "level" },
    ],
    [
      "contracts, released, not ready",
      "contracts",
      { order: order("release"), verdicts: [verdict("not-ready")] },
      false,
      "waits",
      { kind: "not-ready", consumers: ["replica"] },
    ],
    [
      "contracts, forced",
      "contracts",
      { order: order("release", { force: true, reason: "r" }), verdicts: [verdict("not-ready")] },
      false,
      "flows",
      { kind: "released-by", actor: "anna", reason: "r" },
    ],
    [
      "contracts, forced, not judged",
      "contracts",
      { order: order("release", { force: true }), answer: undefined },
      false,
      "waits",
      { kind: "not-judged" },
    ],
    [
      "observe, withheld by a person",
      "observe",
      { order: order("withhold") },
      false,
      "waits",
      { kind: "operator-withheld", actor: "anna" },
    ],
    [
      "contracts, all ready, withheld by a person",
      "contracts",
      { order: order("withhold"), verdicts: [verdict("ready")] },
      false,
      "waits",
      { kind: "operator-withheld", actor: "anna" },
    ],
    ["no key, nothing missed", "contracts", {}, true, "flows", { kind: "all-ready", count: 0, policy: "contracts" }],
    ["no key, values missed", "contracts", { missed: true }, true, "waits", { kind: "keyless-backfill" }],
    [
      "no key, values missed, released",
      "contracts",
      { missed: true, order: order("release") },
      true,
      "flows",
      { kind: "released-by", actor: "anna" },
    ],
    [
      "a key, values missed",
      "contracts",
      { missed: true },
      false,
      "flows",
      { kind: "all-ready", count: 0, policy: "contracts" },
    ],
  ];

  it.each(cases)("%s", (_, policy, more, keyless, kind, reason) => {
    const decision = mayFlow(policy, { ...FITS, ...more }, keyless);
    expect(decision).toMatchObject({ kind, reason });
  });

  it("a type that is not mapped cannot flow, whoever releases it", () => {
    const unmapped = added(column(3, "at", "tid"));
    for (const policy of ["observe", "contracts", "manual"] as const) {
      const forced = { ...unmapped, order: order("release", { force: true, reason: "r" }) };
      expect(mayFlow(policy, forced, false)).toMatchObject({
        kind: "waits",
        reason: { kind: "unmapped", type: "tid" },
      });
    }
  });

  it("under observe the alert can name the consumers that would have held it back", () => {
    const verdicts = [verdict("ready", "a"), verdict("not-ready", "b"), verdict("unknown", "c")];
    expect(mayFlow("observe", { ...FITS, verdicts }, false)).toMatchObject({ wouldHaveWaitedFor: ["b", "c"] });
    expect(notReady(verdicts)).toEqual(["b", "c"]);
  });

  it("a widened candidate flows like any other", () => {
    const required = added(column(3, "nick", "text", { notNull: true }));
    const answer = { kind: "fits" as const, candidate: madeOf(publishing(), required, true).candidate };
    expect(mayFlow("contracts", { ...FITS, answer }, false).kind).toBe("flows");
  });
});
