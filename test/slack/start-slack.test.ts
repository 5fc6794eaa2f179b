import { describe, expect, it } from "vitest";
import type { Amendment, SentAlert } from "../../src/gate/amendment/amendment.ts";
import type { Mode } from "../../src/gate/state.ts";
import { alertKey } from "../../src/gate/decision/reason.ts";
import type { ReportedStop } from "../../src/slack/connector-news.ts";
import type { Message } from "../../src/slack/message.ts";
import { type ConnectorAlerts, type Slack, startSlack } from "../../src/slack/start-slack.ts";
import type { Posted } from "../../src/slack/webhook.ts";
import { finding, notReady, released, SINCE, stateWith, waitsFor, withheld } from "../alert/amendments.ts";
import { fakeClock, type FakeClock } from "./fake-clock.ts";
import { expectWithinLimits, texts } from "./limits.ts";

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STOP = {
  code: "slot-lost",
  message: "the slot is gone",
  next: undefined,
  position: "0/1",
  topic: undefined,
  handedOver: false,
};
const later: Posted = { kind: "later", afterMs: undefined, reason: "no answer" };
const ten = Array.from({ length: 10 }, (_, at) => waitsFor(at + 3, `c${at}`, notReady("billing", [finding(`c${at}`)])));

/** What all runs of a service share: Slack, the connector's state, and the reported stop. */
interface World {
  readonly clock: FakeClock;
  /** Titles of the messages that Slack accepted, with the seconds since the beginning. */
  readonly titles: string[];
  readonly messages: Partial<Message>[];
  readonly lines: string[];
  /** Slack's next answers. After them it accepts everything. */
  readonly answers: (Posted | "hangs")[];
  attempts: number;
  /** Attempts that were aborted. */
  given: number;
  amendments: readonly Amendment[];
  reportedStop: ReportedStop | undefined;
}

interface Life {
  readonly slack: Slack;
  readonly alerts: ConnectorAlerts;
  /** Alerts people to these amendments in their present state. */
  news(...amendments: readonly Amendment[]): void;
  /** Ends the session, and begins a new one from the state. */
  again(): void;
}

function newWorld(): World {
  const clock = fakeClock();
  return {
    clock,
    titles: [],
    messages: [],
    lines: [],
    answers: [],
    attempts: 0,
    given: 0,
    amendments: [],
    reportedStop: undefined,
  };
}

/** One run of the service. With `records` it records sent alerts, as the guard does. */
function live(world: World, records = true, mode: Mode = "guard"): Life {
  const { clock } = world;
  const begun = clock.now();
  const slack = startSlack({
    clock,
    log: {
      warn: (detail, message) => void world.lines.push(`${message} ${JSON.stringify(detail)}`),
      error: (detail, message) => void world.lines.push(`ERROR ${message} ${JSON.stringify(detail)}`),
    },
    groupsNotNamed: async () => [],
    post: async (message, signal) => {
      world.attempts += 1;
      const answer = world.answers.shift() ?? { kind: "posted" };
      if (answer === "hangs") {
        await clock.sleep(HOUR, signal).catch(() => void (world.given += 1));
        return later;
      }
      if (answer.kind !== "posted") return answer;
      world.titles.push(`${(clock.now() - begun) / SECOND} ${String(message.text)}`);
      world.messages.push(message);
      return answer;
    },
  });
  const alerts = slack.of("inventory", mode, {
    read: async () => world.reportedStop,
    write: async (stop) => void (world.reportedStop = stop),
  });
  const hear = ({ id, alerted }: SentAlert): void => {
    if (!records) return;
    world.amendments = world.amendments.map((one) => (one.id === id ? { ...one, alerted } : one));
    setImmediate(() => alerts.state(stateWith(world.amendments)));
  };
  const begin = (): void => {
    alerts.onSent(hear);
    alerts.state(stateWith(world.amendments));
    for (const one of world.amendments) {
      if (one.alerted?.key !== alertKey(one)) alerts.alert(one, stateWith(world.amendments));
    }
  };
  begin();
  return {
    slack,
    alerts,
    again: begin,
    news(...amendments) {
      const before = new Map(world.amendments.map((one) => [one.id, one]));
      for (const one of amendments) {
        const { alerted } = before.get(one.id) ?? one;
        before.set(one.id, { ...one, alerted });
      }
      world.amendments = [...before.values()];
      for (const one of amendments) alerts.alert(one, stateWith(world.amendments));
    },
  };
}

async function end(world: World, { slack }: Life): Promise<void> {
  const flushing = slack.flush();
  await world.clock.pass(10 * SECOND);
  await flushing;
}

describe("news", () => {
  it("ten columns of one migration lead to one message, two seconds after the last", async () => {
    const world = newWorld();
    const life = live(world);
    for (const one of ten) {
      life.news(one);
      await world.clock.pass(500);
    }
    await world.clock.pass(5 * SECOND);
    expect(world.titles).toEqual(["6.5 🟠 Withheld: 10 fields of inventory.public.customers"]);
    expect(world.amendments.map(({ alerted }) => alerted?.key)).toEqual(ten.map(alertKey));
  });

  it("of withheld and released amendments is two messages, a second apart", async () => {
    const world = newWorld();
    live(world).news(released(3, "a"), withheld(4, "b"));
    await world.clock.pass(5 * SECOND);
    expect(world.titles).toEqual([
      "2 🟡 Withheld: inventory.public.customers.b",
      "3 🟢 Released: inventory.public.customers.a",
    ]);
  });

  it("about a field released before people were alerted is only about the release", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld(3, "a"));
    await world.clock.pass(SECOND);
    life.news(released(3, "a"));
    await world.clock.pass(5 * SECOND);
    expect(world.titles).toEqual(["3 🟢 Released: inventory.public.customers.a"]);
  });

  it("about a column that was dropped before people were alerted is not sent", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld(3, "a"));
    world.amendments = [];
    life.alerts.state(stateWith([]));
    await world.clock.pass(HOUR);
    expect(world.titles).toEqual([]);
  });

  it("is not sent twice for the same amendment, or after a new session begins", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld());
    await world.clock.pass(2 * SECOND);
    life.news(withheld());
    life.again();
    await world.clock.pass(MINUTES(10));
    expect(world.titles).toHaveLength(1);
  });

  it("sent while no session could record it is recorded by the next session", async () => {
    const world = newWorld();
    const life = live(world);
    life.alerts.onSent(() => undefined);
    life.news(withheld());
    await world.clock.pass(3 * SECOND);
    expect(world.amendments[0]?.alerted?.key).toBeUndefined();
    life.again();
    await world.clock.pass(SECOND);
    expect(world.amendments[0]?.alerted?.key).toBe(alertKey(withheld()));
    expect(world.titles).toHaveLength(1);
  });
});

function MINUTES(count: number): number {
  return count * 60_000;
}

describe("a storm", () => {
  it("of 100 DDLs in a minute leads to at most 5 messages and one summary", async () => {
    const world = newWorld();
    const life = live(world);
    for (let at = 0; at < 100; at++) {
      life.news(at % 3 === 0 ? released(at + 3, `c${at}`) : waitsFor(at + 3, `c${at}`, notReady()));
      await world.clock.pass(600);
    }
    await world.clock.pass(MINUTES(5));
    const summaries = world.titles.filter((title) => title.includes("too many"));
    expect(world.titles.length - summaries.length).toBeLessThanOrEqual(5);
    expect(summaries).toEqual([expect.stringMatching(/🟠 Connector inventory: \d+ changes, too many/)]);
    expect(JSON.stringify(world.messages.at(-1))).toContain("fieldgate amendments");
    expect(world.amendments.filter(({ alerted }) => alerted === undefined)).toEqual([]);
    for (const { text = "", blocks = [] } of world.messages) expectWithinLimits({ text, blocks });
    life.news(withheld(500, "after"));
    await world.clock.pass(3 * SECOND);
    expect(world.titles.at(-1)).toContain("Withheld: inventory.public.customers.after");
  });

  it("that lasts an hour leads to a summary every ten minutes", async () => {
    const world = newWorld();
    const life = live(world);
    for (let at = 0; at < 240; at++) {
      life.news(withheld(at + 3, `c${at}`));
      await world.clock.pass(15 * SECOND);
    }
    expect(world.titles.filter((title) => title.includes("too many")).length).toBeLessThanOrEqual(6);
  });
});

describe("reminders", () => {
  it("become rarer, are one digest, and end with the release", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld(3, "a"));
    await world.clock.pass(MINUTES(10));
    life.news(withheld(4, "b"));
    await world.clock.pass(30 * DAY);
    const days = world.titles
      .filter((title) => title.includes("Still"))
      .map((title) => Number.parseFloat(title) / 86_400);
    const hours = days.map((day) => Math.round(day * 24));
    expect(hours).toEqual([1, 5, 29, 53, 77, 101, 125, 149, 173, 341, 509, 677]);
    expect(world.titles.at(-1)).toContain("🟡 Still withheld: 2 fields of inventory.public.customers");
    life.news(released(3, "a"), released(4, "b"));
    await world.clock.pass(30 * DAY);
    expect(world.titles.at(-1)).toContain("Released: 2 fields");
  });

  it("of what Debezium publishes are sent only if someone has to act", async () => {
    const world = newWorld();
    const life = live(world, true, "watch");
    life.news({ ...withheld(3, "a"), verdicts: [] }, waitsFor(4, "b", notReady()));
    await world.clock.pass(2 * HOUR);
    expect(world.titles).toEqual([
      expect.stringContaining("Debezium publishes next: 2 fields"),
      expect.stringMatching(/Debezium still publishes next: inventory.public.customers.b$/),
    ]);
    await end(world, life);
  });

  it("continue after a restart where they were", async () => {
    const world = newWorld();
    const first = live(world);
    first.news(withheld());
    await world.clock.pass(2 * HOUR);
    await end(world, first);
    live(world);
    await world.clock.pass(2 * HOUR);
    expect(world.titles).toHaveLength(2);
    await world.clock.pass(2 * HOUR);
    expect(world.titles.slice(2)).toEqual([expect.stringContaining("Still withheld")]);
    expect(world.amendments[0]?.alerted?.reminders).toBe(2);
  });
});

describe("a restart", () => {
  it("after a flush repeats nothing", async () => {
    const world = newWorld();
    const first = live(world);
    first.news(...ten);
    await world.clock.pass(3 * SECOND);
    await end(world, first);
    live(world);
    await world.clock.pass(MINUTES(30));
    expect(world.titles).toHaveLength(1);
  });

  it("before the quiet time is over: the news is sent at once, recorded, and not sent again", async () => {
    const world = newWorld();
    const first = live(world);
    first.news(...ten);
    await end(world, first);
    expect(world.titles).toEqual(["0 🟠 Withheld: 10 fields of inventory.public.customers"]);
    live(world);
    await world.clock.pass(MINUTES(30));
    expect(world.titles).toHaveLength(1);
  });

  it("while Slack hangs ends within 3 s, and the news is sent at the next start", async () => {
    const world = newWorld();
    world.answers.push("hangs");
    const first = live(world);
    first.news(withheld());
    await world.clock.pass(3 * SECOND);
    const before = world.clock.now();
    let ended = 0;
    void first.slack.flush().then(() => (ended = world.clock.now()));
    await world.clock.pass(10 * SECOND);
    expect(ended - before).toBeLessThanOrEqual(3 * SECOND);
    expect(ended).toBeGreaterThan(0);
    expect(world.given).toBe(1);
    expect(world.titles).toEqual([]);
    live(world);
    await world.clock.pass(3 * SECOND);
    expect(world.titles).toHaveLength(1);
  });

  it("without a session to record the alert repeats one message", async () => {
    const world = newWorld();
    const first = live(world, false);
    first.news(withheld());
    await world.clock.pass(3 * SECOND);
    await end(world, first);
    live(world);
    await world.clock.pass(3 * SECOND);
    expect(world.titles).toHaveLength(2);
  });

  it("after the flush sends nothing", async () => {
    const world = newWorld();
    const first = live(world);
    await end(world, first);
    first.news(withheld());
    await world.clock.pass(HOUR);
    expect(world.titles).toEqual([]);
  });
});

describe("Slack", () => {
  it("that asks to wait gets no attempt for that long", async () => {
    const world = newWorld();
    world.answers.push({ kind: "later", afterMs: 30 * SECOND, reason: "status 429" });
    live(world).news(withheld());
    await world.clock.pass(31 * SECOND);
    expect(world.attempts).toBe(1);
    await world.clock.pass(2 * SECOND);
    expect(world.titles).toEqual([expect.stringMatching(/^32 /)]);
  });

  it("that is down is tried with growing delays; then a few messages show the present state", async () => {
    const world = newWorld();
    world.answers.push(...Array.from({ length: 14 }, () => later));
    const life = live(world);
    life.news(withheld(3, "a"));
    await world.clock.pass(MINUTES(10));
    const { attempts } = world;
    expect(attempts).toBeLessThan(12);
    life.news(released(3, "a"));
    for (let at = 4; at < 40; at++) life.news(withheld(at, `c${at}`));
    await world.clock.pass(HOUR);
    expect(world.titles.map((title) => title.replace(/^\S+ /, ""))).toEqual([
      "🟡 Withheld: 36 fields of inventory.public.customers",
      "🟢 Released: inventory.public.customers.a",
    ]);
    expect(world.lines).toHaveLength(14);
  });

  it("that refuses is logged once, and not tried again for the same news", async () => {
    const world = newWorld();
    const refused: Posted = { kind: "refused", payload: false, reason: "status 404 (no_service)" };
    world.answers.push(...Array.from({ length: 50 }, () => refused));
    const life = live(world);
    life.news(withheld(3, "a"));
    await world.clock.pass(MINUTES(50));
    expect(world.attempts).toBe(1);
    life.news(withheld(4, "b"));
    await world.clock.pass(MINUTES(5));
    expect(world.attempts).toBe(2);
    expect(world.lines).toEqual([expect.stringMatching(/^ERROR Slack refuses alerts.*no_service/)]);
    await end(world, life);
    world.answers.splice(0);
    live(world);
    await world.clock.pass(3 * SECOND);
    expect(world.titles).toEqual([expect.stringContaining("Withheld: 2 fields")]);
  });

  it("that refuses reminders is asked as rarely as reminders would be sent", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld());
    await world.clock.pass(SECOND * 3);
    world.answers.push(...Array.from({ length: 50 }, (): Posted => ({ kind: "refused", payload: false, reason: "x" })));
    await world.clock.pass(2 * DAY);
    expect(world.attempts).toBeLessThanOrEqual(5);
  });

  it("that does not accept a message gets only its title", async () => {
    const world = newWorld();
    world.answers.push({ kind: "refused", payload: true, reason: "status 400 (invalid_blocks)" });
    live(world).news(withheld());
    await world.clock.pass(3 * SECOND);
    expect(world.messages).toEqual([{ text: "🟡 Withheld: inventory.public.customers.nickname" }]);
    expect(world.amendments[0]?.alerted?.key).toBe(alertKey(withheld()));
  });
});

describe("a stop", () => {
  it("is alerted at once, has reminders, and is not repeated by a service that restarts and stops again", async () => {
    const world = newWorld();
    const first = live(world);
    first.alerts.stopped(STOP);
    await world.clock.pass(SECOND);
    expect(world.titles).toEqual(["0 🔴 Stopped: connector inventory"]);
    await end(world, first);
    for (let restart = 0; restart < 20; restart++) {
      const life = live(world);
      life.alerts.stopped(restart % 2 === 0 ? STOP : { ...STOP, position: undefined });
      await world.clock.pass(SECOND);
      await end(world, life);
    }
    expect(world.titles).toHaveLength(1);
    const last = live(world);
    last.alerts.stopped(STOP);
    await world.clock.pass(HOUR);
    expect(world.titles.slice(1)).toEqual([expect.stringContaining("🔴 Still stopped: connector inventory")]);
  });

  it("whose message is worded differently after an update is still the same stop", async () => {
    const world = newWorld();
    const first = live(world);
    first.alerts.stopped(STOP);
    await end(world, first);
    const second = live(world);
    second.alerts.stopped({ ...STOP, message: "the slot does not exist" });
    await end(world, second);
    expect(world.titles).toHaveLength(1);
  });

  it.each([
    ["at a different position", { position: "0/2" }],
    ["with a different code", { code: "wal-level" }],
    ["of a different topic", { topic: "inventory.public.orders" }],
  ])("%s is a new stop", async (_, more) => {
    const world = newWorld();
    const first = live(world);
    first.alerts.stopped({ ...STOP, topic: "inventory.public.customers" });
    await end(world, first);
    const second = live(world);
    second.alerts.stopped({ ...STOP, topic: "inventory.public.customers", ...more });
    await end(world, second);
    expect(world.titles).toHaveLength(2);
  });

  it("is over once the connector works, which is said once, also by the next process", async () => {
    const world = newWorld();
    const first = live(world);
    first.alerts.stopped(STOP);
    await world.clock.pass(3 * SECOND);
    await end(world, first);
    const second = live(world);
    second.alerts.works();
    second.alerts.works();
    await world.clock.pass(10 * SECOND);
    expect(world.titles.slice(1)).toEqual([expect.stringContaining("🟢 Flows again: connector inventory")]);
    expect(texts(world.messages.at(-1)?.blocks ?? []).join()).toContain("it had been stopped since");
    expect(world.reportedStop).toBeUndefined();
    await end(world, second);
    const third = live(world);
    third.alerts.works();
    await world.clock.pass(HOUR);
    expect(world.titles).toHaveLength(2);
    third.alerts.stopped(STOP);
    await world.clock.pass(3 * SECOND);
    expect(world.titles).toHaveLength(3);
  });

  it("because another instance took over is not reported as over", async () => {
    const world = newWorld();
    const first = live(world);
    first.alerts.stopped({ ...STOP, code: "connector-taken", handedOver: true });
    await world.clock.pass(3 * SECOND);
    await end(world, first);
    live(world).alerts.works();
    await world.clock.pass(10 * SECOND);
    expect(world.titles).toEqual([expect.stringContaining("🟢 Handed over")]);
  });

  it("does not stand beside a message that events continue", async () => {
    const world = newWorld();
    const life = live(world);
    life.alerts.stopped(STOP);
    life.news(withheld());
    await world.clock.pass(5 * SECOND);
    expect(world.titles).toHaveLength(2);
    const said = texts(world.messages.flatMap(({ blocks = [] }) => blocks)).join();
    expect(said).not.toContain("Events continue");
    expect(said).toContain("The connector publishes nothing at the moment.");
  });

  it("that a command resolves is over: its reminders end, and those of withheld fields continue", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld());
    await world.clock.pass(3 * SECOND);
    life.alerts.stopped(STOP);
    await world.clock.pass(3 * SECOND);
    life.alerts.state(stateWith(world.amendments));
    await world.clock.pass(2 * HOUR);
    expect(world.titles.slice(1)).toEqual([
      expect.stringContaining("Stopped"),
      expect.stringContaining("Still withheld"),
    ]);
    life.alerts.stopped(STOP);
    life.alerts.state(stateWith(world.amendments));
    await world.clock.pass(2 * HOUR);
    expect(world.titles).toHaveLength(3);
  });

  it("sends no reminders of withheld fields, because no rows flow anyway", async () => {
    const world = newWorld();
    const life = live(world);
    life.news(withheld(3, "a", { gate: { kind: "withheld", ...SINCE, reason: { kind: "policy-manual" } } }));
    await world.clock.pass(3 * SECOND);
    life.alerts.stopped(STOP);
    await world.clock.pass(2 * HOUR);
    expect(world.titles.slice(1).every((title) => title.includes("topped: connector"))).toBe(true);
  });
});
