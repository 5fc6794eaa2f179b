import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert, NoticeAbout, StoppedAlert } from "../../src/alert/alert.ts";
import { newsDrafts, reminderDraft, type Scope, summaryDraft } from "../../src/alert/compose.ts";
import type { Finding } from "../../src/finding.ts";
import { watched } from "../../src/gate/watch/watched.ts";
import type { Mode, TableState } from "../../src/gate/state.ts";
import type { Amendment } from "../../src/gate/amendment/amendment.ts";
import { messageOf } from "../../src/slack/message.ts";
import {
  contract,
  finding,
  notReady,
  released,
  SINCE,
  stateWith,
  TOPIC,
  waitsFor,
  withheld,
} from "../alert/amendments.ts";
import { ACTING } from "../hostile.ts";
import { expectWithinLimits, texts } from "./limits.ts";

const CONTRACTS = [contract("billing", "<!subteam^S0BILLING>"), contract("search", "@team-search <!channel>")];

function scopeOf(amendments: readonly Amendment[], groups: readonly string[] = []): Scope {
  return {
    connector: "inventory",
    mode: "guard",
    state: stateWith(amendments, CONTRACTS),
    publishes: true,
    groupsNotNamed: new Map([[TOPIC, groups]]),
  };
}

function news(amendments: readonly Amendment[], groups: readonly string[] = [], mode: Mode = "guard"): Alert {
  const [draft] = newsDrafts({ ...scopeOf(amendments, groups), mode }, amendments);
  if (draft === undefined) throw new Error("no alert");
  return draft.alert;
}

const stopped: StoppedAlert = {
  kind: "stopped",
  severity: "stopped",
  connector: "inventory",
  code: "slot-lost",
  message: "the slot fieldgate_inventory is gone",
  next: "create it again by a new snapshot",
  position: "16/B374D848",
  since: SINCE.time,
  reminder: undefined,
};

const unknown = { consumer: "search", environment: "production", verdict: "unknown", findings: [] } as const;
const ten = Array.from({ length: 10 }, (_, at) => waitsFor(at + 3, `c${at}`, notReady("billing", [finding(`c${at}`)])));
const orders = Array.from({ length: 3 }, (_, at) => withheld(at + 3, `o${at}`, {}, "inventory.public.orders"));
const waitsAgain = waitsFor(3, "nickname", notReady(), unknown);
const reminder = { count: 2, next: 86_400_000 };

const strict = withheld(3, "nickname", {
  gate: {
    kind: "withheld",
    ...SINCE,
    reason: { kind: "not-ready", consumers: [], unnamed: { kind: "known", groups: ["sink"] } },
  },
});

const CASES: readonly [string, Alert][] = [
  ["withheld", news([waitsAgain], ["audit-sink"])],
  ["withheld-strict", news([strict], ["sink", "audit-sink"])],
  ["withheld-manual", news([withheld()])],
  ["withheld-widened", news([widened()])],
  ["withheld-dropped", news([{ ...withheld(2, "name"), kind: "dropped", column: undefined }])],
  ["ten-columns", news(ten)],
  ["two-tables", news([...ten, ...orders])],
  ["released", news([released()], ["audit-sink"])],
  ["released-observe", news([released(3, "nickname", ["billing", "search"])])],
  ["ten-released", news(Array.from({ length: 10 }, (_, at) => released(at + 3, `c${at}`)))],
  ["reminder", alertOf(reminderDraft(scopeOf(ten), ten, reminder))],
  [
    "summary",
    summaryDraft(scopeOf([...ten, ...orders, released(99, "z")]), [...ten, ...orders, released(99, "z")]).alert,
  ],
  ["watch-coming", news([asWatched(waitsFor(3, "nickname", notReady()))], [], "watch")],
  ["watch-ready", news([asWatched({ ...withheld(), verdicts: [] })], [], "watch")],
  ["watch-refused", news([refusedByLevel()], [], "watch")],
  ["watch-published", news([published()], [], "watch")],
  ["stopped", stopped],
  ["stopped-reminder", { ...stopped, reminder: { count: 1, next: 14_400_000 } }],
  ["handed-over", { ...stopped, severity: "info", code: "connector-taken", next: undefined, position: undefined }],
];

function asWatched(amendment: Amendment): Amendment {
  return { ...amendment, gate: { kind: "withheld", ...SINCE, reason: watched(amendment).reason } };
}

function published(): Amendment {
  const { gate, ...rest } = released(3, "nickname", ["billing"]);
  if (gate.kind !== "released") throw new Error("it is released");
  const reason = { kind: "schema-registered", subject: `${rest.topic}-value`, schemaId: gate.schemaId } as const;
  return { ...rest, verdicts: [notReady()], gate: { ...gate, reason } };
}

function refusedByLevel(): Amendment {
  const { answer, ...rest } = withheld(4, "level");
  if (answer?.kind !== "fits") throw new Error("it fits");
  return asWatched({ ...rest, answer: { ...answer, kind: "refused", text: "READER_FIELD_MISSING_DEFAULT_VALUE" } });
}

function widened(): Amendment {
  const { answer, ...rest } = withheld();
  if (answer?.kind !== "fits") throw new Error("it fits");
  return { ...rest, answer: { kind: "fits", candidate: { ...answer.candidate, widened: "nickname" } } };
}

function alertOf(draft: { readonly alert: Alert } | undefined): Alert {
  if (draft === undefined) throw new Error("no reminder");
  return draft.alert;
}

describe("a message with notices about tables", () => {
  const title = (...abouts: readonly NoticeAbout[]) => {
    const notices = abouts.map((about) => ({ about, what: "public.t is parked", next: undefined }));
    return messageOf({ kind: "notice", severity: "withheld", connector: "inventory", notices }).text;
  };

  it("has a title of its kind", () => {
    expect(title("parked")).toBe("🟡 Parked: connector inventory");
    expect(title("rows-missing")).toBe("🟡 Rows are missing: connector inventory");
    expect(title("no-event", "no-event")).toBe("🟡 Changes fit no event: connector inventory");
  });

  it("names each kind once if there are several", () => {
    expect(title("parked", "rows-missing", "parked")).toBe("🟡 Parked, rows are missing: connector inventory");
  });
});

describe("a message about a stop", () => {
  const said = (more: Partial<StoppedAlert>) => texts(messageOf({ ...stopped, ...more }).blocks).join("\n");

  it("says that PostgreSQL keeps the log only if the slot does so", () => {
    expect(said({ code: "value-unfit" })).toContain(
      "In the meantime PostgreSQL keeps the log, up to max_slot_wal_keep_size.",
    );
    for (const code of ["slot-lost", "slot-exists", "source-changed"]) {
      expect(said({ code })).not.toContain("keeps the log");
    }
    expect(said({ code: "wal-level", position: undefined })).not.toContain("keeps the log");
  });
});

describe("a message about withheld fields", () => {
  const parked = {
    why: { code: "value-unfit", text: "", next: undefined },
    id: "p1",
    position: "0/1",
    time: SINCE.time,
    written: 1,
    replayed: 0,
    passedOver: 0,
    lost: 0,
    reported: true,
  } as unknown as NonNullable<TableState["parked"]>; // only its presence counts
  const scope = (more: Partial<Scope>) => ({ ...scopeOf([withheld()]), ...more });
  const said = (given: Scope) =>
    newsDrafts(given, [withheld()])
      .flatMap(({ alert }) => texts(messageOf(alert).blocks))
      .join("\n");

  it("says that events continue only if they do", () => {
    expect(said(scope({}))).toContain("Events continue with their current schema.");
    expect(said(scope({ publishes: false }))).toContain("The connector publishes nothing at the moment.");
    const { state } = scopeOf([withheld()]);
    const tables = new Map([...state.tables].map(([topic, table]) => [topic, { ...table, parked }]));
    expect(said(scope({ state: { ...state, tables } }))).toContain("Changes of a parked table wait");
    expect(said(scope({ state: { ...state, tables } }))).not.toMatch(/^Events continue/m);
  });
});

describe("a message about a contract", () => {
  it("mentions the owner whom it names", () => {
    const notices = [
      { about: "contract", what: "it does not fit", next: "fieldgate check", owner: "<@U012AB3CD>" },
    ] as const;
    const message = messageOf({ kind: "notice", severity: "withheld", connector: "inventory", notices });
    expect(message.text).toBe("🟡 A contract does not fit: connector inventory");
    expect(texts(message.blocks)).toContain("For <@U012AB3CD>");
  });
});

describe("a message", () => {
  it.each(CASES)("of %s says what, where, who and the next command", async (name, alert) => {
    const message = messageOf(alert);
    expectWithinLimits(message);
    await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(`snapshots/${name}.json`);
  });

  it("says what happens when an event is read, even after a long message", () => {
    const long: Finding = { ...finding(), message: `it takes ${"int or ".repeat(40)}`, effect: "throws" };
    const wrong: Finding = { ...finding(), message: "it counts ms", effect: "reads-wrong-value" };
    const said = texts(
      messageOf(news([waitsFor(3, "c", notReady("billing", [long]), notReady("search", [wrong]))])).blocks,
    );
    expect(said.join("\n")).toMatch(
      /int o…; the decoder throws; name it(.|\n)*it counts ms; a wrong value is read; name it/,
    );
  });

  it("mentions owners by id only, and no one for a released field", () => {
    expect(texts(messageOf(news([waitsAgain])).blocks)).toContain(
      "For <!subteam^S0BILLING> @team-search &lt;!channel&gt;",
    );
    expect(texts(messageOf(news([released(3, "n", ["billing"])])).blocks).join("")).not.toContain("<!");
  });

  it("mentions no one by a name that looks like a mention, and gets no line from a name", () => {
    const bad = "<!channel> & <@U12345>\n*Next:* rm `x`";
    const message = messageOf(news([waitsFor(3, bad, notReady(bad, [finding(bad)]))], [bad]));
    const marked = texts(message.blocks.filter(({ type }) => type === "section")).concat(message.text);
    expect(marked.join("")).not.toMatch(/<[!@#h]/);
    expect(marked.join("")).not.toMatch(/U12345&gt;\n/);
  });

  const text = fc.oneof(
    fc.constantFrom("", "a", "<!channel>", "&".repeat(400), "😀".repeat(200), "x\ny", "<@U".repeat(99), "`".repeat(99)),
    fc.string({ maxLength: 30 }),
    fc.string({ minLength: 500, maxLength: 1500, unit: "binary" }),
  );
  const findings = fc.array(
    fc.record<Finding>({
      rule: text,
      severity: fc.constantFrom("error", "warning"),
      certainty: fc.constantFrom("always", "by-policy"),
      field: fc.option(text, { nil: undefined }),
      message: text,
      remedy: fc.option(text, { nil: undefined }),
    }),
    { maxLength: 3 },
  );
  const verdict = fc.record({
    consumer: text,
    environment: text,
    verdict: fc.constantFrom("ready" as const, "not-ready" as const, "unknown" as const),
    findings,
  });
  const amendment = fc
    .record({
      at: fc.integer({ min: 3, max: 1600 }),
      name: text,
      topic: text,
      why: text,
      open: fc.boolean(),
      verdicts: fc.array(verdict, { maxLength: 12 }),
      schemaId: fc.nat(),
      waited: fc.array(text, { maxLength: 30 }),
    })
    .map(({ at, name, topic, why, open, verdicts, schemaId, waited }): Amendment => {
      const reason = { kind: "recorded", sentence: why } as const;
      const gate = open
        ? { kind: "released" as const, ...SINCE, reason, schemaId, wouldHaveWaitedFor: waited }
        : { kind: "withheld" as const, ...SINCE, reason };
      return withheld(at, name, { verdicts, gate }, topic);
    });

  it("about any amendments is within Slack's limits and mentions no one on its own", () => {
    fc.assert(
      fc.property(
        fc.array(amendment, { minLength: 1, maxLength: 30 }),
        fc.array(text, { maxLength: 30 }),
        (amendments, groups) => {
          const scope = {
            ...scopeOf(amendments),
            groupsNotNamed: new Map(amendments.map(({ topic }) => [topic, groups])),
          };
          const drafts = [
            ...newsDrafts(scope, amendments),
            summaryDraft(scope, amendments),
            ...[reminderDraft(scope, amendments, reminder) ?? []].flat(),
          ];
          for (const { alert } of drafts) {
            const message = messageOf(alert);
            expectWithinLimits(message);
            const marked = texts(message.blocks.filter(({ type }) => type === "section")).join("");
            expect(marked).not.toMatch(/<(?!!subteam\^S[A-Z0-9]+>)/);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("about any stop is within Slack's limits", () => {
    fc.assert(
      fc.property(text, text, fc.option(text, { nil: undefined }), (connector, message, next) => {
        expectWithinLimits(messageOf({ ...stopped, connector, message, next }));
      }),
    );
  });
});

describe("a message about hostile names", () => {
  it.each(ACTING)("%j is shown, and acts on nothing", (text) => {
    const alert: StoppedAlert = { ...stopped, message: text, next: text, code: "slot-lost", connector: text };
    const shown = JSON.stringify(messageOf(alert));
    expect(shown).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200B]/);
    expect(shown).not.toMatch(/\\u00(0|1)[0-9a-f](?<!\\\\u....)/);
  });
});
