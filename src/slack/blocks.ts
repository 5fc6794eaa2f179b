import type { IncomingWebhookSendArguments } from "@slack/webhook";

export type Block = NonNullable<IncomingWebhookSendArguments["blocks"]>[number];

/**
 * Slack takes 150 characters a header, 3000 a section, 2000 a context's element and 50 blocks
 * (docs.slack.dev/reference/block-kit/blocks), and about 13,000 in all, which it does not document.
 */
const HEADER_CHARS = 150;
const SECTION_CHARS = 1800;
const CONTEXT_CHARS = 600;

export function header(text: string): Block {
  return { type: "header", text: { type: "plain_text", text: cut(oneLine(text), HEADER_CHARS), emoji: false } };
}

/** `text` is mrkdwn: what comes from outside is escaped by the caller. */
export function section(text: string): Block {
  return { type: "section", text: { type: "mrkdwn", text: cut(text, SECTION_CHARS), verbatim: true } };
}

export function context(text: string): Block {
  return { type: "context", elements: [{ type: "plain_text", text: cut(oneLine(text), CONTEXT_CHARS), emoji: false }] };
}

/** Lines as one section: each within `chars`, the first so many of them, then how many more there are. */
export function list(title: string, lines: readonly string[], most: number, chars: number): readonly Block[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, most).map((line) => `\n• ${cut(line, chars)}`);
  const more = lines.length > most ? `\n• and ${lines.length - most} more` : "";
  return [section(`${title}${shown.join("")}${more}`)];
}

/** Names in a row, the first so many of them. */
export function row(names: readonly string[], most: number, chars: number): string {
  const shown = names.slice(0, most).map((name) => cut(escaped(name), chars));
  return `${shown.join(", ")}${names.length > most ? ` and ${names.length - most} more` : ""}`;
}

/** Commands to copy. */
export function commands(texts: readonly string[]): readonly Block[] {
  if (texts.length === 0) return [];
  const shown = texts.slice(0, 3).map((text) => cut(escaped(text).replaceAll("`", "'"), 500));
  return [section(`*Next:*\n\`\`\`${shown.join("\n")}\`\`\``)];
}

/**
 * One line with Slack's three control characters escaped, so that a column named `<!channel>` notifies no one and a line
 * break in a name adds no line.
 */
export function escaped(text: string): string {
  return oneLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function code(text: string): string {
  return `\`${escaped(text).replaceAll("`", "'")}\``;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

/** Never cuts inside an escape, a mention or a character of two units. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit - 1).replace(/(?:&[a-z]{0,3}|<[^>]*|[\uD800-\uDBFF])$/, "");
  return `${kept}…`;
}
