import { describe, expect, it } from "vitest";
import type { Amendment, Order, Verdict } from "../../../src/gate/amendment/amendment.ts";
import { mayFlow, notReady, type ReleasePolicy } from "../../../src/gate/decision/policy.ts";
import { added, column, madeOf, NICK, publishing } from "../customers.ts";

const { candidate } = madeOf(publishing(), added(NICK));
const FITS: Amendment = { ...added(NICK), answer: { kind: "fits", candidate } };

function verdict(is: Verdict["verdict"], consumer = "replica"): Verdict {
  return { consumer, environment: "default", verdict: is, findings: [] };
}

function order(kind: Order["kind"], more: Partial<Order> = {}): Order {
  return { kind, actor: "anna", reason: undefined, force: false, backfill: undefined, command: "c1", ...more };
}

describe("may a field flow", () => {
  const cases: [string, ReleasePolicy, Partial<Amendment>, boolean, "flows" | "waits", RegExp][] = [
    ["observe, not judged", "observe", { answer: undefined }, false, "waits", /^not judged yet$/],
    ["observe, unopposed", "observe", {}, false, "flows", /^policy observe$/],
    ["observe, opposed", "observe", { verdicts: [verdict("not-ready")] }, false, "flows", /^policy observe$/],
    [
      "observe, the registry silent",
      "observe",
      { answer: { kind: "unanswered", why: "down" } },
      false,
      "waits",
      /not answered: down/,
    ],
    [
      "observe, refused",
      "observe",
      { answer: { kind: "refused", candidate, why: "level" } },
      false,
      "waits",
      /refuses the schema: level/,
    ],
    ["observe, dropped again", "observe", { gone: true }, false, "waits", /dropped again/],
    ["contracts, none", "contracts", {}, false, "flows", /^no contract on the topic$/],
    [
      "contracts, all ready",
      "contracts",
      { verdicts: [verdict("ready"), verdict("ready", "b")] },
      false,
      "flows",
      /^all 2 contracts are ready$/,
    ],
    ["contracts, the one ready", "contracts", { verdicts: [verdict("ready")] }, false, "flows", /^the one contract is/],
    [
      "contracts, one not",
      "contracts",
      { verdicts: [verdict("ready"), verdict("not-ready", "b")] },
      false,
      "waits",
      /^not ready: b$/,
    ],
    ["contracts, one unknown", "contracts", { verdicts: [verdict("unknown")] }, false, "waits", /^not ready: replica$/],
    ["contracts, not judged", "contracts", { answer: undefined }, false, "waits", /^not judged yet$/],
    ["manual", "manual", {}, false, "waits", /^policy manual/],
    ["manual, released", "manual", { order: order("release") }, false, "flows", /^anna said release$/],
    [
      "manual, released with a reason",
      "manual",
      { order: order("release", { reason: "asked" }) },
      false,
      "flows",
      /: asked$/,
    ],
    [
      "manual, released, a contract not ready",
      "manual",
      { order: order("release"), verdicts: [verdict("not-ready")] },
      false,
      "flows",
      /said release/,
    ],
    [
      "manual, released, refused by the registry",
      "manual",
      { order: order("release", { force: true }), answer: { kind: "refused", candidate, why: "level" } },
      false,
      "waits",
      /refuses/,
    ],
    [
      "contracts, released, not ready",
      "contracts",
      { order: order("release"), verdicts: [verdict("not-ready")] },
      false,
      "waits",
      /^not ready: replica$/,
    ],
    [
      "contracts, forced",
      "contracts",
      { order: order("release", { force: true, reason: "r" }), verdicts: [verdict("not-ready")] },
      false,
      "flows",
      /: r$/,
    ],
    [
      "contracts, forced, not judged",
      "contracts",
      { order: order("release", { force: true }), answer: undefined },
      false,
      "waits",
      /^not judged yet$/,
    ],
    ["observe, withheld by a person", "observe", { order: order("withhold") }, false, "waits", /^anna said withhold$/],
    [
      "contracts, all ready, withheld by a person",
      "contracts",
      { order: order("withhold"), verdicts: [verdict("ready")] },
      false,
      "waits",
      /said withhold/,
    ],
    ["no key, nothing missed", "contracts", {}, true, "flows", /no contract/],
    ["no key, values missed", "contracts", { missed: true }, true, "waits", /no key.*--backfill none/],
    [
      "no key, values missed, released",
      "contracts",
      { missed: true, order: order("release") },
      true,
      "flows",
      /said release/,
    ],
    ["a key, values missed", "contracts", { missed: true }, false, "flows", /no contract/],
  ];

  it.each(cases)("%s", (_, policy, more, keyless, kind, why) => {
    const decision = mayFlow(policy, { ...FITS, ...more }, keyless);
    expect(decision).toMatchObject({ kind, why: expect.stringMatching(why) as unknown });
  });

  it("a type that is not mapped cannot flow, whoever says so", () => {
    const unmapped = added(column(3, "at", "tid"));
    for (const policy of ["observe", "contracts", "manual"] as const) {
      const forced = { ...unmapped, order: order("release", { force: true, reason: "r" }) };
      expect(mayFlow(policy, forced, false)).toMatchObject({
        kind: "waits",
        why: expect.stringContaining("tid") as unknown,
      });
    }
  });

  it("under observe the alert can say who would have kept it back", () => {
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
