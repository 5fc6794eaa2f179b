import fc from "fast-check";

/** Values that somebody who wants to harm might choose: names, texts and whole JSON values. */

/** Names that every object inherits a property for, and that are valid field names. */
export const INHERITED = [
  "constructor",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  "toLocaleString",
  "__proto__",
  "__defineGetter__",
  "__lookupSetter__",
] as const;

/** Texts that a terminal, a log or Slack would act on. */
export const ACTING = [
  "\u001B[2J\u001B[31mred",
  "\u001B]0;title\u0007",
  "\u009B31mred",
  "line 1\nline 2 withheld",
  "over\rwritten",
  "\b\b\bgone",
  "\u202Egnp.exe",
  "\u2066hidden\u2069",
  "a\u2028b\u2029c",
  "\u0000nul",
  "\u200Bzero\uFEFF",
  "\uD800",
  "<!channel> <@U12345678> <http://evil.example|click>",
  "*bold* `code` ~x~",
  "::error::forged",
  "${env:SECRET}",
  "%s%n%x",
] as const;

/** A valid field name. */
export const hostileName = fc.oneof(fc.constantFrom(...INHERITED), fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/));

/** Any text. */
export const hostileWord = fc.oneof(
  fc.constantFrom(...INHERITED),
  fc.constantFrom(...ACTING),
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
);

/** Any JSON value, with hostile keys and texts too. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(hostileWord, fc.oneof(fc.jsonValue(), hostileWord), { maxKeys: 4 }),
);
