import type { Finding } from "../../finding.ts";
import { oncePerPair } from "../../once.ts";
import { fieldNamed } from "../../avro/reading/compatibility.ts";
import { aliasCollision } from "./alias-collision.ts";
import { dateOrTimestamp } from "./date-or-timestamp.ts";
import { decimalIntoFloat } from "./decimal-into-float.ts";
import { decimalPrecision } from "./decimal-precision.ts";
import { decimalScale } from "./decimal-scale.ts";
import { defaultChanged } from "./default-changed.ts";
import { dropped } from "./dropped.ts";
import { enumDefault } from "./enum-default.ts";
import { KEY_CHANGED } from "./key-changed.ts";
import { logicalType } from "./logical-type.ts";
import { longBeyondJavascript } from "./long-beyond-javascript.ts";
import { notNullLost } from "./not-null-lost.ts";
import { nullNotHandled } from "./null-not-handled.ts";
import { renamed } from "./renamed.ts";
import type { Change, Consumer, Found, MeaningRule } from "./rule.ts";
import { changesOfBranches, recordsInside } from "./inside.ts";
import { isSameField, ownField } from "./field.ts";
import { stringOrBytes } from "./string-or-bytes.ts";
import { timeUnit } from "./time-unit.ts";
import { unionOrder } from "./union-order.ts";
import type { AvroRecord, RecordField } from "../../avro/schema.ts";

/**
 * The rules about meaning: changes that every decoder accepts, although the same bytes then mean something else. Each
 * rule compares one field before and after. This file applies the rules to every field, including nested records and
 * unions, from the point of view of one consumer. That view matters: a consumer with its own schema is affected by the
 * difference between its schema and the events, not by the change itself.
 */

/** The rules that compare a field before and after a change. */
export const MEANING_RULES: readonly MeaningRule[] = [
  decimalScale,
  decimalPrecision,
  decimalIntoFloat,
  timeUnit,
  dateOrTimestamp,
  logicalType,
  stringOrBytes,
  notNullLost,
  nullNotHandled,
  enumDefault,
  defaultChanged,
  longBeyondJavascript,
  unionOrder,
  aliasCollision,
  dropped,
  renamed,
];

/** Reported by the code that knows the columns, because schemas do not show it. */
export const ANOTHER_COLUMN: Pick<MeaningRule, "id" | "problem" | "severity"> = {
  id: "meaning/another-column",
  problem: "a field keeps its name and type but is filled from a different column",
  severity: "error",
};

/** The catalogue of rules about meaning. */
export const CATALOGUE: readonly Pick<MeaningRule, "id" | "problem" | "severity">[] = [
  ...MEANING_RULES,
  ANOTHER_COLUMN,
  KEY_CHANGED,
];

export interface MeaningFinding extends Found {
  readonly rule: MeaningRule["id"];
  readonly effect: NonNullable<Finding["effect"]>;
  /** The field of the row. */
  readonly name: string;
  /** The place in the row, e.g. `address.zip` or `items[].price`. */
  readonly path: string;
}

/**
 * What would change its meaning for this consumer when its topic's row changes from `before` to `after`, by field and
 * inside fields. There is no finding if the reader's own schema already has the new meaning. If the reader's schema
 * already disagrees with `before`, the finding is a warning, because withholding the change would not help.
 */
export function meaningFindings(
  before: AvroRecord,
  after: AvroRecord,
  consumer: Consumer = {},
): readonly MeaningFinding[] {
  return findingsIn(before, after, consumer);
}

/** The pairs of records visited inside one field. A record may contain itself, and each pair is reported only once. */
type Entered = Map<AvroRecord, Set<AvroRecord>>;

/** `entered` is given only for records inside a field, not for the row itself. */
function findingsIn(
  before: AvroRecord,
  after: AvroRecord,
  consumer: Consumer,
  entered?: Entered,
): readonly MeaningFinding[] {
  const { names, changed } = comparison(after, before);
  const { row } = consumer;
  if (row === undefined) return [...changed].flatMap((name) => findingsOf(name, before, after, consumer, entered));
  const { aliased, disagreeing } = compareNow(before, row, consumer, entered);
  const isAsked = (name: string): boolean => changed.has(name) || aliased.has(name);
  const all = aliased.size + disagreeing.size === 0 ? changed : new Set([...names, ...aliased]);
  return [...all].flatMap((name) =>
    isAsked(name) ? findingsOf(name, before, after, consumer, entered) : (disagreeing.get(name) ?? []),
  );
}

interface Comparison {
  /** The names of the fields of both rows. */
  readonly names: ReadonlySet<string>;
  /** The fields that differ. No rule can find anything in the other fields, except through a reader's aliases. */
  readonly changed: ReadonlySet<string>;
}

/** Cached, because all contracts are judged on the same two rows. */
const comparison = oncePerPair((after: AvroRecord, before: AvroRecord): Comparison => {
  const names = new Set([...before.fields, ...after.fields].map(({ name }) => name));
  const changed = [...names].filter((name) => !isSameField(fieldNamed(before, name), fieldNamed(after, name)));
  return { names, changed: new Set(changed) };
});

function findingsOf(
  name: string,
  before: AvroRecord,
  after: AvroRecord,
  consumer: Consumer,
  entered?: Entered,
): readonly MeaningFinding[] {
  const { row } = consumer;
  const own = ownField(row, name);
  const [was, is] = [fieldNamed(before, name), fieldNamed(after, name)];
  const change = { name, before: was, after: is, from: before, to: after, consumer };
  const views = { change, ...(row === undefined || own === undefined ? {} : viewsOf(change, row, own)) };
  const found = MEANING_RULES.flatMap((rule) => asFindings(rule, name, findFor(rule, views)));
  return [...found, ...findingsInside(change, own, entered ?? new Map())];
}

function findingsInside(
  { name, before, after, consumer }: Change,
  own: RecordField | undefined,
  entered: Entered,
): readonly MeaningFinding[] {
  if (before === undefined || after === undefined) return [];
  return recordsInside(before.type, after.type, own?.type).flatMap(({ path, from, to, row }) => {
    const met = entered.get(from) ?? new Set<AvroRecord>();
    entered.set(from, met);
    if (met.has(to)) return [];
    met.add(to);
    return findingsIn(from, to, { row, runtime: consumer.runtime, longs: consumer.longs }, entered).map((found) => {
      const isRead = row === undefined || ownField(row, found.name) !== undefined;
      const severity = isRead ? {} : { severity: "warning" as const };
      return { ...found, ...severity, name, path: `${name}${path}.${found.path}` };
    });
  });
}

/** How a reader's own row compares with the one that flows now. */
interface RowNow {
  readonly now: AvroRecord;
  readonly runtime: string | undefined;
  /** The names of fields with aliases, and the aliases. */
  readonly aliased: ReadonlySet<string>;
  /** The other fields whose meaning already differs, by name. */
  readonly disagreeing: ReadonlyMap<string, readonly MeaningFinding[]>;
}

/** Cached by the reader's row, because the row that flows now is the same for all candidates. */
const rowsNow = new WeakMap<AvroRecord, RowNow>();

function compareNow(now: AvroRecord, row: AvroRecord, consumer: Consumer, entered?: Entered): RowNow {
  const { runtime } = consumer;
  const known = rowsNow.get(row);
  if (entered === undefined && known?.now === now && known.runtime === runtime) return known;
  const plain = row.fields.filter(({ aliases }) => aliases.length === 0);
  const found = plain.map((own) => [own.name, findingsOfNow(own, now, row, consumer, entered)] as const);
  const aliased = new Set(row.fields.flatMap((own) => (own.aliases.length > 0 ? [own.name, ...own.aliases] : [])));
  const made = { now, runtime, aliased, disagreeing: new Map(found.filter(([, all]) => all.length > 0)) };
  // Inside a field, the result omits pairs that were visited before, so it is not cached.
  if (entered === undefined) rowsNow.set(row, made);
  return made;
}

/** The findings about a field that does not change. */
function findingsOfNow(
  own: RecordField,
  from: AvroRecord,
  row: AvroRecord,
  consumer: Consumer,
  entered?: Entered,
): readonly MeaningFinding[] {
  const { name } = own;
  const now = fieldNamed(from, name);
  if (now === undefined || isSameField(own, now)) return [];
  const change = { name, before: own, after: now, from: row, to: from, consumer, isReader: true };
  const found = MEANING_RULES.filter(({ ofReader }) => ofReader).flatMap((rule) => {
    const one = findIn(rule, change);
    return asFindings(rule, name, one && { ...one, severity: "warning" });
  });
  return [...found, ...findingsInside({ ...change, before: now, from }, own, entered ?? new Map())];
}

function asFindings(rule: MeaningRule, name: string, found: Found | undefined): readonly MeaningFinding[] {
  return found === undefined
    ? []
    : [{ ...found, rule: rule.id, effect: rule.effect ?? "reads-wrong-value", name, path: name }];
}

interface Views {
  readonly change: Change;
  /**
   * Changes from the reader's own field to the next one, from the current field to the reader's, and from the reader's
   * to the current one.
   */
  readonly toNext?: Change | undefined;
  readonly toOwn?: Change | undefined;
  readonly toNow?: Change | undefined;
}

function viewsOf(change: Change, row: AvroRecord, own: RecordField): Omit<Views, "change"> {
  return {
    toNext: { ...change, before: own, from: row, isReader: true },
    toOwn: { ...change, after: own, to: row },
    toNow: { ...change, before: own, from: row, after: change.before, to: change.from, isReader: true },
  };
}

function findFor(rule: MeaningRule, { change, toNext, toOwn, toNow }: Views): Found | undefined {
  const found = findIn(rule, change);
  if (toNext === undefined || toOwn === undefined || toNow === undefined) return found;
  if (found === undefined && !rule.ofReader) return undefined;
  const own = findIn(rule, toNext);
  if (found !== undefined) return own === undefined && findIn(rule, toOwn) !== undefined ? undefined : found;
  if (own === undefined) return undefined;
  return findIn(rule, toNow) === undefined ? own : { ...own, severity: "warning" };
}

/** Applies a rule to the field's type, or else to each pair of union branches, and returns the first finding. */
function findIn(rule: MeaningRule, change: Change): Found | undefined {
  return rule.find(change) ?? changesOfBranches(change).flatMap((branch) => findIn(rule, branch) ?? [])[0];
}
