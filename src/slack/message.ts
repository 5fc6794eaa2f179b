import type { IncomingWebhookSendArguments } from "@slack/webhook";

import type {
  Alert,
  Change,
  Flow,
  NoticeAbout,
  NoticeAlert,
  ReleasedAlert,
  Severity,
  StoppedAlert,
  SummaryAlert,
  Waiting,
  WithheldAlert,
} from "../alert/alert.ts";
import type { ErrorCode } from "../errors.ts";
import { messageText } from "../finding.ts";
import { renderDuration } from "../words/duration.ts";
import { type Block, code, commands, context, cut, escaped, header, list, row, section } from "./blocks.ts";

/**
 * Renders an alert as a Slack message. Names and texts from outside are escaped, and every list and text is cut to a
 * limit.
 */

/** At most this many of each are listed. */
const TABLES = 4;
const CHANGES = 12;
const CONSUMERS = 8;
const NAMES = 20;

export type Message = IncomingWebhookSendArguments & { readonly text: string; readonly blocks: readonly Block[] };

/** The message for people: what happened, where, which consumers are not ready and why, and the next command. Pure. */
export function messageOf(alert: Alert): Message {
  const title = `${MARKS[alert.severity]} ${titleOf(alert)}`;
  return { text: cut(escaped(title), 300), blocks: [header(title), ...bodyOf(alert)] };
}

const MARKS: Readonly<Record<Severity, string>> = { stopped: "🔴", "not-ready": "🟠", withheld: "🟡", info: "🟢" };

function titleOf(alert: Alert): string {
  switch (alert.kind) {
    case "withheld":
      if (alert.mode === "watch") return comingTitle(alert);
      return `${alert.reminder === undefined ? "Withheld" : "Still withheld"}: ${subject(alert.changes)}`;
    case "released":
      return `${WORDS[alert.mode].released}: ${subject(alert.changes)}`;
    case "summary":
      return `Connector ${alert.connector}: ${alert.withheld + alert.released} changes, too many for one message each`;
    case "notice":
      return `${aboutOf(alert)}: connector ${alert.connector}`;
    case "stopped":
      if (alert.severity === "info") return `Handed over: connector ${alert.connector}`;
      return `${alert.reminder === undefined ? "Stopped" : "Still stopped"}: connector ${alert.connector}`;
    default:
      return alert satisfies never;
  }
}

const ABOUT: Readonly<Record<NoticeAbout, string>> = {
  "rows-missing": "Rows are missing",
  "not-captured": "Not captured",
  "table-warning": "A table needs attention",
  parked: "Parked",
  "flows-again": "Flows again",
  "no-event": "Changes fit no event",
  waits: "Waiting for you",
  tables: "Tables",
  topics: "Topics",
  registry: "The registry",
  "file-changed": "File changed",
  retrying: "Retrying",
  stalled: "Stalled",
  slot: "The replication slot",
  contract: "A contract does not fit",
  "contract-fits": "A contract fits again",
};

/** One message may have several notices; each kind of them is named once. */
function aboutOf({ notices }: NoticeAlert): string {
  const [first = "", ...others] = new Set(notices.map(({ about }) => ABOUT[about]));
  return [first, ...others.map((name) => `${name.charAt(0).toLowerCase()}${name.slice(1)}`)].join(", ");
}

/** Words that differ by mode. In watch mode Debezium publishes, so nothing is withheld or released. */
const WORDS: Readonly<
  Record<WithheldAlert["mode"], { readonly released: string; readonly waits: string; readonly flows: string }>
> = {
  guard: { released: "Released", waits: "withheld", flows: "released" },
  watch: { released: "Published", waits: "not published yet", flows: "published" },
};

/** In watch mode nothing is withheld: the change is published, or it stops Debezium's task. */
function comingTitle({ severity, reminder, changes }: WithheldAlert): string {
  if (severity === "stopped") return `Debezium's task will stop: ${subject(changes)}`;
  return `${reminder === undefined ? "Debezium publishes next" : "Debezium still publishes next"}: ${subject(changes)}`;
}

/** `inventory.public.customers.nickname`, or the number of fields and topics. */
function subject(changes: readonly Change[]): string {
  const [first] = changes;
  const topics = new Set(changes.map(({ topic }) => topic));
  if (first === undefined) return "nothing";
  if (changes.length === 1) return `${first.topic}.${first.field}`;
  return `${changes.length} fields of ${topics.size === 1 ? first.topic : `${topics.size} topics`}`;
}

function bodyOf(alert: Alert): readonly Block[] {
  switch (alert.kind) {
    case "withheld":
      return withheldBody(alert);
    case "released":
      return releasedBody(alert);
    case "summary":
      return summaryBody(alert);
    case "stopped":
      return stoppedBody(alert);
    case "notice":
      return noticeBody(alert);
    default:
      return alert satisfies never;
  }
}

function withheldBody(alert: WithheldAlert): readonly Block[] {
  const { changes, waiting, reminder } = alert;
  return [
    ...mentions(waiting),
    ...changesBody(changes),
    section(meaningOf(alert)),
    ...list("*Optional in the events although the column is not:*", alert.widened.map(escaped), 3, 300),
    ...list("*Copies that would lose values:*", alert.overwritten.map(escaped), 3, 600),
    ...consumers(waiting),
    ...waitedFor(alert.groupsWaitedFor),
    ...groups(alert.groupsNotNamed),
    ...commands([...alert.next.slice(0, 2), ...listing(changes)]),
    context(`${idsOf(changes)} · connector ${alert.connector} · since ${sinceOf(changes)}${remark(reminder)}`),
  ];
}

function meaningOf({ mode, severity, flow }: WithheldAlert): string {
  if (mode === "guard") return FLOWS[flow];
  switch (severity) {
    case "stopped":
      return "Undo the change, or make the subject's level accept it, before a row is written.";
    case "not-ready":
      return "Nothing holds it back: make the consumers ready, or undo the change, before a row is written.";
    case "withheld":
      return "Nothing holds it back.";
    default:
      return severity satisfies never;
  }
}

const FLOWS: Readonly<Record<Flow, string>> = {
  flows: "Events continue with their current schema.",
  parked: "Changes of a parked table wait; the events of the other tables continue with their current schema.",
  none: "The connector publishes nothing at the moment.",
};

function releasedBody(alert: ReleasedAlert): readonly Block[] {
  const { changes } = alert;
  const schemas = [...new Set(changes.map(({ schemaId }) => schemaId))];
  const from = `Applies to events from ${schemas.length === 1 ? "schema" : "schemas"} ${row(schemas.map(String), NAMES, 20)} on.`;
  const isOurs = alert.mode === "guard";
  const waited = isOurs ? row(alert.wouldHaveWaitedFor, NAMES, 40) : "";
  return [
    ...mentions(alert.waiting),
    ...changesBody(changes),
    // The reason for the release names the schema.
    ...(isOurs ? [section(from)] : []),
    ...consumers(alert.waiting),
    ...(waited === "" ? [] : [section(`Under policy \`contracts\` it would have waited for: ${waited}`)]),
    ...list("*Backfill:*", alert.backfills.map(escaped), 3, 300),
    ...groups(alert.groupsNotNamed),
    ...commands(alert.next),
    context(`${idsOf(changes)} · connector ${alert.connector} · since ${sinceOf(changes)}`),
  ];
}

function summaryBody(alert: SummaryAlert): readonly Block[] {
  const { withheld, notReady, released, tables } = alert;
  const { waits, flows } = WORDS[alert.mode];
  const rows = alert.mode === "guard" ? ` ${FLOWS[alert.flow]}` : "";
  const blocked = notReady === 0 ? "" : `, ${notReady} of them because a consumer is not ready`;
  const lines = tables.map(({ table, changes }) => `${code(cut(table, 150))}: ${changes}`);
  return [
    ...mentions(alert.waiting),
    section(`${withheld} ${waits}${blocked}; ${released} ${flows}.${rows}`),
    ...list("*Tables:*", lines, NAMES / 2, 250),
    ...consumers(alert.waiting),
    ...commands(["fieldgate amendments"]),
    context(`connector ${alert.connector}`),
  ];
}

function stoppedBody(alert: StoppedAlert): readonly Block[] {
  const at = alert.position === undefined ? "" : ` · position ${alert.position}`;
  const meaning =
    alert.severity === "stopped" ? `${STOPPED}${keepsLog(alert) ? LOG_KEPT : ""}` : "Another instance runs it.";
  return [
    section(cut(escaped(alert.message), 1500)),
    section(meaning),
    ...(alert.next === undefined ? [] : [section(`*Next:* ${cut(escaped(alert.next), 1000)}`)]),
    context(`${alert.code}${at} · since ${minute(alert.since)}${remark(alert.reminder)}`),
  ];
}

const STOPPED = "Nothing is published or acknowledged until a person acts.";
const LOG_KEPT = " In the meantime PostgreSQL keeps the log, up to max_slot_wal_keep_size.";

/** Stops after which the slot does not keep the log, or may not. */
const SLOT_IN_DOUBT: ReadonlySet<string> = new Set([
  "slot-lost",
  "slot-exists",
  "source-changed",
] satisfies ErrorCode[]);

/** A connector that has never had a position in this process may have no slot. */
function keepsLog(alert: StoppedAlert): boolean {
  return alert.position !== undefined && !SLOT_IN_DOUBT.has(alert.code);
}

function noticeText({ what, next }: NoticeAlert["notices"][number]): string {
  return `${cut(escaped(what), 600)}.${next === undefined ? "" : ` *Next:* ${cut(escaped(next), 500)}`}`;
}

function noticeBody({ notices, connector }: NoticeAlert): readonly Block[] {
  const more = notices.length > TABLES ? [section(`and ${notices.length - TABLES} more, see the service's log`)] : [];
  return [
    ...mentions(notices),
    ...notices.slice(0, TABLES).map((one) => section(noticeText(one))),
    ...more,
    context(`connector ${connector}`),
  ];
}

/** Lists what happened, by table. The reason is shown once if it is the same for all changes. */
function changesBody(changes: readonly Change[]): readonly Block[] {
  const whys = [...new Set(changes.map(({ why }) => why))];
  const [first] = changes;
  if (first !== undefined && changes.length === 1) {
    return [section(`${cut(escaped(capital(first.what)), 800)}. ${cut(escaped(first.why), 800)}`)];
  }
  const tables = [...new Set(changes.map(({ table }) => table))];
  const lineOf = (change: Change) => (whys.length === 1 ? change.what : `${change.what}. ${change.why}`);
  const shown = tables.slice(0, TABLES).flatMap((table) => {
    const lines = changes.filter((change) => change.table === table).map((change) => escaped(lineOf(change)));
    return list(`*${cut(escaped(table), 150)}*`, lines, CHANGES, 135);
  });
  const more = tables.length > TABLES ? [section(`and ${tables.length - TABLES} more tables`)] : [];
  const why = whys.length === 1 && first !== undefined ? [section(cut(escaped(first.why), 800))] : [];
  return [...shown, ...more, ...why];
}

function mentions(waiting: readonly { readonly owner?: string | undefined }[]): readonly Block[] {
  const owners = [...new Set(waiting.flatMap(({ owner }) => owner ?? []))];
  if (owners.length === 0) return [];
  return [section(`For ${owners.slice(0, CONSUMERS).map(mention).join(" ")}`)];
}

function consumers(waiting: readonly Waiting[]): readonly Block[] {
  return list("*Who is not ready:*", waiting.map(consumerText), CONSUMERS, 220);
}

function consumerText({ consumer, environment, verdict, finding, more }: Waiting): string {
  const who = `*${cut(escaped(consumer), 60)}* (${cut(escaped(environment), 40)})`;
  if (finding === undefined) return `${who}: ${verdict === "unknown" ? "not known" : "not ready"}`;
  const field = finding.field === undefined ? "" : `${code(cut(finding.field, 60))}: `;
  const unknown = verdict === "unknown" ? "not known: " : "";
  const rest = more > 0 ? ` (and ${more} more)` : "";
  const remedy = finding.remedy === undefined ? "" : `; ${escaped(finding.remedy)}`;
  const text = escaped(finding.message);
  const shown = cut(text, 120);
  // The end of a message, which usually states the effect, may have been cut off.
  const effectStated = shown === text ? finding.effectStated : undefined;
  const message = messageText({ ...finding, message: shown, effectStated });
  return `${who}: ${unknown}${field}${message}${rest}${remedy}`;
}

function groups(names: readonly string[]): readonly Block[] {
  if (names.length === 0) return [];
  return [section(`Groups that no contract names, so they were not asked: ${row(names, NAMES, 40)}`)];
}

function waitedFor(names: readonly string[]): readonly Block[] {
  if (names.length === 0) return [];
  const ask = "Name them in a contract's `groups`, or stop them.";
  return [section(`Waits for live groups that no contract names: ${row(names, NAMES, 40)}. ${ask}`)];
}

/** The command that lists everything, if one message cannot. */
function listing(changes: readonly Change[]): readonly string[] {
  const [table, second] = [...new Set(changes.map((change) => change.table))];
  if (table === undefined || changes.length === 1) return [];
  return [second === undefined ? `fieldgate amendments --table ${table}` : "fieldgate amendments"];
}

function idsOf(changes: readonly Change[]): string {
  const [first] = changes;
  if (first !== undefined && changes.length === 1) return `${first.id} · position ${first.position}`;
  return `${changes.length} amendments`;
}

function sinceOf(changes: readonly Change[]): string {
  const [first = ""] = changes.map(({ since }) => since).sort();
  return minute(first);
}

/** Renders an ISO 8601 time as `2026-11-23 06:31 UTC`. */
function minute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

function remark(reminder: WithheldAlert["reminder"]): string {
  if (reminder === undefined) return "";
  return ` · reminder ${reminder.count}, the next in ${renderDuration(reminder.next)}`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Matches a user or a user group by id, without the group's label. Never matches a channel, `<!here>` or a link. */
const ID = /<@([UW][A-Z0-9]{2,30})>|<!subteam\^(S[A-Z0-9]{2,30})(?:\|[^<>|]*)?>/g;

/**
 * Renders a contract's owner. Ids in Slack's form mention the user or group. Everything else is shown as text, so
 * `@team-billing` notifies no one.
 */
export function mention(owner: string): string {
  let text = "";
  let from = 0;
  for (const match of owner.matchAll(ID)) {
    const [whole, user, group] = match;
    text += escaped(owner.slice(from, match.index)) + (user === undefined ? `<!subteam^${group}>` : `<@${user}>`);
    from = match.index + whole.length;
  }
  return text + escaped(owner.slice(from));
}
