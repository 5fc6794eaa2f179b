import { visible } from "../visible.ts";
import type { IncomingWebhookSendArguments } from "@slack/webhook";

export type Block = NonNullable<IncomingWebhookSendArguments["blocks"]>[number];

/**
 * Slack accepts 150 characters in a header, 3000 in a section, 2000 in a context element, and 50 blocks
 * (docs.slack.dev/reference/block-kit/blocks). It also has an undocumented limit of about 13,000 characters in total.
 */
const HEADER_CHARS = 150;
const SECTION_CHARS = 1800;
const CONTEXT_CHARS = 600;

export function header(text: string): Block {
  return { type: "header", text: { type: "plain_text", text: cut(oneLine(text), HEADER_CHARS), emoji: false } };
}

/** `text` is mrkdwn, so the caller must escape text from outside. */
export function section(text: string): Block {
  return { type: "section", text: { type: "mrkdwn", text: cut(text, SECTION_CHARS), verbatim: true } };
}

export function context(text: string): Block {
  return { type: "context", elements: [{ type: "plain_text", text: cut(oneLine(text), CONTEXT_CHARS), emoji: false }] };
}

/** Renders lines as one section: at most `most` lines, each cut to `chars`, and the number of further lines. */
export function list(title: string, lines: readonly string[], most: number, chars: number): readonly Block[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, most).map((line) => `\n• ${cut(line, chars)}`);
  const more = lines.length > most ? `\n• and ${lines.length - most} more` : "";
  return [section(`${title}${shown.join("")}${more}`)];
}

/** Renders names in a row: at most `most` names, and the number of further names. */
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
 * Makes the text one line and escapes Slack's three control characters, so that a column named `<!channel>` notifies no
 * one and a line break in a name adds no line.
 */
export function escaped(text: string): string {
  return oneLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function code(text: string): string {
  return `\`${escaped(text).replaceAll("`", "'")}\``;
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/[\n\r\t\p{Zl}\p{Zp}]+/gu, " "));
}

/** Cuts the text to the limit. Never cuts inside an escape, a mention or a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit - 1).replace(/(?:&[a-z]{0,3}|<[^>]*|[\uD800-\uDBFF])$/, "");
  return `${kept}…`;
}
