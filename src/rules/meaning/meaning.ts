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
import { ownField } from "./own-field.ts";
import { isSameField } from "./same-field.ts";
import { stringOrBytes } from "./string-or-bytes.ts";
import { timeUnit } from "./time-unit.ts";
import { unionOrder } from "./union-order.ts";
import type { AvroRecord, RecordField } from "../../avro/schema.ts";

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

/** `entered`: of records inside a field; the row's own have none. */
function findingsIn(
  before: AvroRecord,
  after: AvroRecord,
  consumer: Consumer,
  entered?: Entered,
): readonly MeaningFinding[] {
  const { names, changed } = comparison(after, before);
  const { row } = consumer;
  if (row === undefined) return [...changed].flatMap((name) => findingsOf(name, before, after, consumer, entered));
  const { aliased, otherwise } = standing(before, row, consumer, entered);
  const isAsked = (name: string): boolean => changed.has(name) || aliased.has(name);
  const all = aliased.size + otherwise.size === 0 ? changed : new Set([...names, ...aliased]);
  return [...all].flatMap((name) =>
    isAsked(name) ? findingsOf(name, before, after, consumer, entered) : (otherwise.get(name) ?? []),
  );
}

interface Comparison {
  /** Of both rows. */
  readonly names: ReadonlySet<string>;
  /** Those that are not the same in both. Of the others no rule has a word to say, but for a reader's aliases. */
  readonly changed: ReadonlySet<string>;
}

/** All contracts are judged on the same two rows. */
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
  const found = MEANING_RULES.flatMap((rule) => told(rule, name, findFor(rule, views)));
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
    return findingsIn(from, to, { row, runtime: consumer.runtime }, entered).map((found) => {
      const isRead = row === undefined || ownField(row, found.name) !== undefined;
      const severity = isRead ? {} : { severity: "warning" as const };
      return { ...found, ...severity, name, path: `${name}${path}.${found.path}` };
    });
  });
}

/** How a reader's own row stands to what flows now. */
interface Standing {
  readonly now: AvroRecord;
  readonly runtime: string | undefined;
  /** Fields with aliases, and the aliases. */
  readonly aliased: ReadonlySet<string>;
  /** What its other fields mean otherwise now already, by name. */
  readonly otherwise: ReadonlyMap<string, readonly MeaningFinding[]>;
}

/** By the reader's row: what flows now is the same for all candidates. */
const standings = new WeakMap<AvroRecord, Standing>();

function standing(now: AvroRecord, row: AvroRecord, consumer: Consumer, entered?: Entered): Standing {
  const { runtime } = consumer;
  const known = standings.get(row);
  if (entered === undefined && known?.now === now && known.runtime === runtime) return known;
  const plain = row.fields.filter(({ aliases }) => aliases.length === 0);
  const found = plain.map((own) => [own.name, findingsOfNow(own, now, row, consumer, entered)] as const);
  const aliased = new Set(row.fields.flatMap((own) => (own.aliases.length > 0 ? [own.name, ...own.aliases] : [])));
  const made = { now, runtime, aliased, otherwise: new Map(found.filter(([, all]) => all.length > 0)) };
  // Inside a field, what was met already is left out.
  if (entered === undefined) standings.set(row, made);
  return made;
}

/** Of a field that stays as it is. */
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
    return told(rule, name, one && { ...one, severity: "warning" });
  });
  return [...found, ...findingsInside({ ...change, before: now, from }, own, entered ?? new Map())];
}

function told(rule: MeaningRule, name: string, found: Found | undefined): readonly MeaningFinding[] {
  return found === undefined
    ? []
    : [{ ...found, rule: rule.id, effect: rule.effect ?? "reads-wrong-value", name, path: name }];
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
  if (found === undefined && !rule.ofReader) return undefined;
  const own = findIn(rule, toNext);
  if (found !== undefined) return own === undefined && findIn(rule, toOwn) !== undefined ? undefined : found;
  if (own === undefined) return undefined;
  return findIn(rule, toNow) === undefined ? own : { ...own, severity: "warning" };
}

/** In the field's type, else in the first branch of its unions. */
function findIn(rule: MeaningRule, change: Change): Found | undefined {
  return rule.find(change) ?? changesOfBranches(change).flatMap((branch) => findIn(rule, branch) ?? [])[0];
}
