import type { Finding } from "../finding.ts";
import { aliasCollision } from "./meaning/alias-collision.ts";
import { dateOrTimestamp } from "./meaning/date-or-timestamp.ts";
import { decimalIntoFloat } from "./meaning/decimal-into-float.ts";
import { decimalPrecision } from "./meaning/decimal-precision.ts";
import { decimalScale } from "./meaning/decimal-scale.ts";
import { defaultChanged } from "./meaning/default-changed.ts";
import { dropped } from "./meaning/dropped.ts";
import { enumDefault } from "./meaning/enum-default.ts";
import { KEY_CHANGED } from "./meaning/key-changed.ts";
import { logicalType } from "./meaning/logical-type.ts";
import { longBeyondJavascript } from "./meaning/long-beyond-javascript.ts";
import { notNullLost } from "./meaning/not-null-lost.ts";
import { nullNotHandled } from "./meaning/null-not-handled.ts";
import { renamed } from "./meaning/renamed.ts";
import type { Change, Consumer, Found, MeaningRule } from "./meaning/rule.ts";
import { changesOfBranches, recordsInside } from "./meaning/inside.ts";
import { ownField } from "./meaning/own-field.ts";
import { isSameField } from "./meaning/same-field.ts";
import { stringOrBytes } from "./meaning/string-or-bytes.ts";
import { timeUnit } from "./meaning/time-unit.ts";
import { unionOrder } from "./meaning/union-order.ts";
import type { AvroRecord, RecordField } from "./schema.ts";

/** Rules that compare a field with what it would be. */
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

/** Told by whoever knows the columns: no schema shows it. */
export const ANOTHER_COLUMN: Pick<MeaningRule, "id" | "problem" | "severity"> = {
  id: "meaning/another-column",
  problem: "a field of the same name and type is filled from another column",
  severity: "error",
};

/** The catalogue: same bytes, other meaning. */
export const CATALOGUE: readonly Pick<MeaningRule, "id" | "problem" | "severity">[] = [
  ...MEANING_RULES,
  ANOTHER_COLUMN,
  KEY_CHANGED,
];

export interface MeaningFinding extends Found {
  readonly rule: MeaningRule["id"];
  readonly effect: NonNullable<Finding["effect"]>;
  /** The row's field. */
  readonly name: string;
  /** From the row on, e.g. `address.zip`, `items[].price`. */
  readonly path: string;
}

/**
 * What would mean something else for this consumer when its topic's row goes from `before` to `after`, by field, also
 * of the records inside a field. A reader whose own schema already has the new meaning is not told of it. One whose
 * own schema means something else than `before` already is told with a warning: keeping the change back does not help.
 */
export function meaningFindings(
  before: AvroRecord,
  after: AvroRecord,
  consumer: Consumer = {},
): readonly MeaningFinding[] {
  return findingsIn(before, after, consumer);
}

/** Pairs of records met inside one field: a record may hold itself, and what it holds twice is told once. */
type Entered = Map<AvroRecord, Set<AvroRecord>>;

function findingsIn(
  before: AvroRecord,
  after: AvroRecord,
  consumer: Consumer,
  entered?: Entered,
): readonly MeaningFinding[] {
  const [b, a, r] = [before, after, consumer.row].map(fieldsByName);
  if (b === undefined || a === undefined || r === undefined) return [];
  return [...new Set([...b.keys(), ...a.keys(), ...r.keys()])].flatMap((name) => {
    const [own, was, is] = [ownField(consumer.row, name), b.get(name), a.get(name)];
    // What is the same for all three means the same; most fields are.
    if (isSameField(was, is) && (own === undefined || (own.aliases.length === 0 && isSameField(own, is)))) return [];
    const change = { name, before: was, after: is, from: before, to: after, consumer };
    const views = {
      change,
      ...(consumer.row === undefined || own === undefined ? {} : viewsOf(change, consumer.row, own)),
    };
    const found = MEANING_RULES.flatMap((rule) => {
      const one = findFor(rule, views);
      return one === undefined
        ? []
        : [{ ...one, rule: rule.id, effect: rule.effect ?? ("reads-wrong-value" as const), name, path: name }];
    });
    return [
      ...found,
      ...(was === undefined || is === undefined ? [] : findingsInside(change, own, entered ?? new Map())),
    ];
  });
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
    return findingsIn(from, to, { row, runtime: consumer.runtime }, entered).map((found) => {
      const isRead = row === undefined || ownField(row, found.name) !== undefined;
      return {
        ...found,
        ...(isRead ? {} : { severity: "warning" as const }),
        name,
        path: `${name}${path}.${found.path}`,
      };
    });
  });
}

interface Views {
  readonly change: Change;
  /** From the reader's own field to what would be; from what is to the reader's; from the reader's to what is. */
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
  const own = findIn(rule, toNext);
  if (found !== undefined) return own === undefined && findIn(rule, toOwn) !== undefined ? undefined : found;
  if (!rule.ofReader || own === undefined) return undefined;
  return findIn(rule, toNow) === undefined ? own : { ...own, severity: "warning" };
}

/** In the field's type, else in the first branch of its unions. */
function findIn(rule: MeaningRule, change: Change): Found | undefined {
  return rule.find(change) ?? changesOfBranches(change).flatMap((branch) => findIn(rule, branch) ?? [])[0];
}

/** By row: the topic's are the same for every contract. */
const named = new WeakMap<AvroRecord, ReadonlyMap<string, RecordField>>();

function fieldsByName(row: AvroRecord | undefined): ReadonlyMap<string, RecordField> {
  if (row === undefined) return new Map();
  const byName = named.get(row) ?? new Map(row.fields.map((field) => [field.name, field]));
  named.set(row, byName);
  return byName;
}
