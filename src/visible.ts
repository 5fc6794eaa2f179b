/**
 * Makes the characters visible that a terminal, a log or Slack would act on instead of showing: control characters, line
 * breaks, marks that turn the direction of text, and characters without a shape. Each is replaced by its JSON escape, for
 * example `\u001b`. JSON thereby keeps its meaning.
 */

/**
 * Control characters except tab and line feed; line and paragraph separators; halves of a pair; marks of direction;
 * zero-width characters except the joiners, which many scripts need; and tags.
 */
const ACTING =
  /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

/** The text on one line. */
export function visible(text: string): string {
  return visibleLines(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** The text with its line feeds and tabs. The caller must see to it that a line break in a name forges no line. */
export function visibleLines(text: string): string {
  return text.replaceAll(ACTING, (character) =>
    Array.from({ length: character.length }, (_, at) => escapeOf(character.charCodeAt(at))).join(""),
  );
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}

/**
 * The text with all its lines after the first indented, so that none of them looks like a line of its own: a line of a
 * log, or the next message of a command.
 */
export function asOneEntry(text: string): string {
  return visibleLines(text).replaceAll(/\n(?! )/g, "\n  ");
}

/** The same value, with every text in it on one line. For answers of the service that are shown as text. */
export function visibleIn<T>(value: T): T {
  return mapTexts(value, visible) as T; // the same shape, with other texts
}

/** The same value with each text in it replaced; keys are kept. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((one: unknown) => mapTexts(one, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]: [string, unknown]) => [key, mapTexts(one, change)]));
}
