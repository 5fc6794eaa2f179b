import type { IncomingWebhookSendArguments } from "@slack/webhook";

import type { Finding } from "../finding.ts";
import type { Verdict } from "../gate/amendment.ts";
import type { Alert, ReleasedAlert, StoppedAlert, WithheldAlert } from "./alert.ts";

/**
 * Slack takes 150 characters a header, 3000 a section and 50 blocks (api.slack.com/reference/block-kit/blocks), and
 * about 13,000 in all, which it does not document. These stay under all four.
 */
const HEADER_CHARS = 150;
const SECTION_CHARS = 1200;
const CONSUMERS = 10;
const CONSUMER_CHARS = 700;
const FINDINGS = 5;

type Block = NonNullable<IncomingWebhookSendArguments["blocks"]>[number];

/** The message for a person: what happened, where, who is not ready and why, the next command. Pure. */
export function alertMessage(alert: Alert): IncomingWebhookSendArguments & { readonly blocks: Block[] } {
  const title = titleOf(alert);
  return { text: cut(escapeText(title), SECTION_CHARS), blocks: [header(title), ...bodyOf(alert)] };
}

function titleOf(alert: Alert): string {
  switch (alert.kind) {
    case "withheld":
      return `Withheld: ${alert.topic}.${alert.field}`;
    case "released":
      return `Released: ${alert.topic}.${alert.field}`;
    case "stopped":
      return `Stopped: connector ${alert.connector}`;
    default:
      return alert satisfies never;
  }
}

function bodyOf(alert: Alert): Block[] {
  switch (alert.kind) {
    case "withheld":
      return withheldBody(alert);
    case "released":
      return releasedBody(alert);
    case "stopped":
      return stoppedBody(alert);
    default:
      return alert satisfies never;
  }
}

function withheldBody(alert: WithheldAlert): Block[] {
  const shown = alert.consumers.slice(0, CONSUMERS);
  const left = alert.consumers.length - shown.length;
  return [
    section(`${escapeText(alert.change)}. ${escapeText(alert.why)} Rows flow on without the field.`),
    ...(alert.widened === undefined ? [] : [section(escapeText(alert.widened))]),
    ...shown.map((consumer) => section(cut(consumerText(consumer), CONSUMER_CHARS))),
    ...(left > 0 ? [section(`and ${left} more`)] : []),
    ...groups(alert.groupsNotNamed),
    nextCommand(alert.next),
    context(`${alert.amendmentId} · connector ${alert.connector}`),
  ];
}

function releasedBody(alert: ReleasedAlert): Block[] {
  const waited = alert.wouldHaveWaitedFor.slice(0, 50).map(escapeText).join(", ");
  return [
    section(
      `${escapeText(alert.change)}. ${escapeText(alert.why)} It is in the events from schema ${alert.schemaId} on.`,
    ),
    ...(waited === "" ? [] : [section(`Under policy \`contracts\` it would have waited for: ${waited}`)]),
    ...(alert.backfill === undefined ? [] : [section(escapeText(alert.backfill))]),
    ...groups(alert.groupsNotNamed),
    ...(alert.next === undefined ? [] : [nextCommand(alert.next)]),
    context(`${alert.amendmentId} · connector ${alert.connector}`),
  ];
}

function stoppedBody(alert: StoppedAlert): Block[] {
  const at = alert.position === undefined ? "" : ` · position ${alert.position}`;
  return [
    section(escapeText(alert.message)),
    section("Nothing is published or acknowledged until a person acts; PostgreSQL keeps the log meanwhile."),
    ...(alert.next === undefined ? [] : [section(`*Next:* ${escapeText(alert.next)}`)]),
    context(`${alert.code}${at}`),
  ];
}

function consumerText({ consumer, environment, verdict, findings }: Verdict): string {
  const reasons = findings.slice(0, FINDINGS).map((finding) => `\n• ${findingText(finding)}`);
  const left = findings.length > FINDINGS ? `\n• and ${findings.length - FINDINGS} more` : "";
  const says = { ready: "ready", "not-ready": "not ready", unknown: "unknown" }[verdict];
  return `*${escapeText(consumer)}* (${escapeText(environment)}): ${says}${reasons.join("")}${left}`;
}

function findingText(finding: Finding): string {
  const field = finding.field === undefined ? "" : `\`${escapeText(finding.field)}\`: `;
  const remedy = finding.remedy === undefined ? "" : ` _${escapeText(finding.remedy)}_`;
  return `${field}${escapeText(finding.message)}${remedy}`;
}

function groups(names: readonly string[]): Block[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 50).map(escapeText).join(", ");
  return [section(cut(`Groups that no contract names, so they were not asked: ${shown}`, CONSUMER_CHARS))];
}

function header(text: string): Block {
  return { type: "header", text: { type: "plain_text", text: cut(text, HEADER_CHARS), emoji: false } };
}

function section(text: string): Block {
  return { type: "section", text: { type: "mrkdwn", text: cut(text, SECTION_CHARS), verbatim: true } };
}

function nextCommand(command: string): Block {
  return section(`*Next:*\n\`\`\`${cut(escapeText(command), SECTION_CHARS - 20)}\`\`\``);
}

function context(text: string): Block {
  return { type: "context", elements: [{ type: "plain_text", text: cut(text, SECTION_CHARS), emoji: false }] };
}

/** Slack's three control characters, so that a column named `<!channel>` calls nobody. */
function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Never cuts inside an escape. */
function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/&[a-z]{0,3}$/, "")}…`;
}
