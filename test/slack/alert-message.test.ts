import { describe, expect, it } from "vitest";

import type { Alert, WithheldAlert } from "../../src/slack/alert.ts";
import { alertMessage } from "../../src/slack/alert-message.ts";

const withheld: WithheldAlert = {
  kind: "withheld",
  connector: "inventory",
  amendmentId: "inventory.public.customers/3",
  topic: "inventory.public.customers",
  field: "nickname",
  change: "Column nickname text was added",
  why: "billing is not ready.",
  consumers: [
    {
      consumer: "billing",
      environment: "production",
      verdict: "not-ready",
      findings: [
        {
          rule: "contract/unknown-field",
          severity: "error",
          certainty: "always",
          field: "nickname",
          message: "the consumer refuses fields it does not know",
          remedy: "name it under ignores",
        },
      ],
    },
    { consumer: "search", environment: "production", verdict: "unknown", findings: [] },
  ],
  groupsNotNamed: ["audit-sink"],
  next: "fieldgate amendments show inventory.public.customers/3",
};

const released: Alert = {
  kind: "released",
  connector: "inventory",
  amendmentId: "inventory.public.customers/3",
  topic: "inventory.public.customers",
  field: "nickname",
  change: "Column nickname text was added",
  why: "Policy observe lets it in at once.",
  schemaId: 7,
  wouldHaveWaitedFor: ["billing"],
  groupsNotNamed: [],
  backfill: "About 1200 rows whose value was not published are published again.",
};

const stopped: Alert = {
  kind: "stopped",
  connector: "inventory",
  code: "slot-lost",
  message: "the slot fieldgate_inventory is gone",
  next: "create it again by a new snapshot",
  position: "16/B374D848",
};

/** Every text of a message, however deep. */
function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

describe("alertMessage", () => {
  it.each<[string, Alert]>([
    ["withheld", withheld],
    ["released", released],
    ["stopped", stopped],
  ])("of %s says what, where, who and the next command", async (name, alert) => {
    await expect(`${JSON.stringify(alertMessage(alert), null, 2)}\n`).toMatchFileSnapshot(`snapshots/${name}.json`);
  });

  const long = "<&>".repeat(5000);
  const many = Array.from({ length: 200 }, (_, index) => ({
    consumer: `${long}${index}`,
    environment: "e",
    verdict: "not-ready" as const,
    findings: Array.from({ length: 50 }, () => ({
      rule: "r",
      severity: "error" as const,
      certainty: "always" as const,
      field: long,
      message: long,
      remedy: long,
    })),
  }));
  const groups = Array.from({ length: 500 }, () => long);

  it.each<[string, Alert]>([
    ["withheld", { ...withheld, field: long, consumers: many, groupsNotNamed: groups, next: long, why: long }],
    ["released", { ...released, change: long, wouldHaveWaitedFor: groups, groupsNotNamed: groups, backfill: long }],
    ["stopped", { ...stopped, connector: long, message: long, next: long }],
  ])("of %s stays within Slack's limits whatever it is told", (_name, alert) => {
    const { blocks } = alertMessage(alert);
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const text of texts(blocks)) expect(text.length).toBeLessThanOrEqual(3000);
    const header = blocks.find(({ type }) => type === "header");
    for (const text of texts(header)) expect(text.length).toBeLessThanOrEqual(150);
    expect(texts(blocks).join("").length).toBeLessThanOrEqual(13_000);
  });

  it("calls nobody by a name that looks like a mention", () => {
    const message = alertMessage({
      ...withheld,
      field: "<!channel>",
      change: "Column <!here> & <@U1>",
      why: "<!everyone>",
    });
    const marked = texts(message.blocks.filter(({ type }) => type === "section")).concat(message.text ?? "");
    expect(marked.join("")).not.toMatch(/<[!@#]/);
  });
});
