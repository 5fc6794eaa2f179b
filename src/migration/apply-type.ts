import { extensionKinds, plainType } from "../event/types/table.ts";
import type { ColumnType, TypeDetail } from "../table/column.ts";
import { dropColumn, mark } from "./apply-column.ts";
import type { NamedType } from "./catalog.ts";
import type { DdlStep, TableName } from "./ddl-step.ts";
import type { Draft } from "./draft.ts";
import type { MakeNote, Note } from "./note.ts";
import { columnTypeOf, namedType, usesType, withDetail } from "./type.ts";

/** Applies the steps that create, change and drop types, and changes the columns of these types. */

export type TypeStep = Extract<
  DdlStep,
  {
    readonly kind:
      | "create-enum"
      | "create-domain"
      | "create-type"
      | "add-label"
      | "rename-label"
      | "rename-type"
      | "move-type"
      | "drop-type";
  }
>;

export function applyTypeStep(draft: Draft, step: TypeStep, note: MakeNote): readonly Note[] {
  switch (step.kind) {
    case "create-enum":
      return create(draft, step.type, { kind: "enum", name: step.type.name, labels: step.labels });
    case "create-type":
      return create(draft, step.type, { kind: "named", name: step.type.name });
    case "create-domain": {
      const of = columnTypeOf(step.base, draft.types);
      if (of === undefined) return note(`there is no type ${step.base.name}`, { missing: true });
      return create(draft, step.type, { kind: "domain", name: step.type.name, of });
    }
    default:
      return change(draft, step, note);
  }
}

/** The types of extensions are recognised by their names, so the catalog is not needed for them. */
export function addExtensionTypes(draft: Draft): readonly Note[] {
  const added = EXTENSION_TYPES.filter(({ name }) => !draft.types.some((type) => type.name === name));
  const fresh = added.map((one): NamedType => ({ ...one, type: { ...one.type, oid: draft.nextOid++ } }));
  draft.types = [...draft.types, ...fresh];
  return [];
}

const EXTENSION_TYPES = extensionKinds().map((kind): NamedType => {
  return { schema: "public", name: kind, type: plainType(kind) };
});

function create(draft: Draft, { schema, path, name }: TableName, detail: TypeDetail): readonly Note[] {
  const oid = draft.nextOid++;
  draft.types = [{ schema: schema ?? path?.[0] ?? "public", name, type: { oid, typmod: -1, detail } }, ...draft.types];
  return [];
}

type Change = Exclude<TypeStep, { readonly kind: "create-enum" | "create-type" | "create-domain" }>;

function change(draft: Draft, step: Change, note: MakeNote): readonly Note[] {
  const { schema, path, name } = step.type;
  const written = [
    schema ?? path?.find((one) => draft.types.some((of) => of.schema === one && of.name === name)),
    name,
  ];
  const found = namedType(written.filter((part) => part !== undefined).join("."), draft.types);
  if (found === undefined) {
    // Without the catalog only the types of captured columns are known, and these are all that matters.
    const silent = draft.catalog === undefined || step.kind === "drop-type";
    return silent ? [] : note(`there is no type ${name}`, { missing: true });
  }
  switch (step.kind) {
    case "rename-type": {
      const { detail } = found.type;
      const now = detail === undefined || detail.kind === "array" ? detail : { ...detail, name: step.to };
      return replace(draft, step, found, { ...found, name: step.to, type: { ...found.type, detail: now } });
    }
    case "move-type":
      return replace(draft, step, found, { ...found, schema: step.schema });
    case "drop-type":
      return drop(draft, step, found, note);
    case "add-label":
    case "rename-label":
      return relabel(draft, step, found, note);
    default:
      return step satisfies never;
  }
}

/** The type, and every column that uses it. */
function replace(draft: Draft, step: DdlStep, found: NamedType, now: NamedType): readonly Note[] {
  const { oid } = found.type;
  const { detail } = now.type;
  const updated = (type: ColumnType) => (detail === undefined ? type : withDetail(type, oid, detail));
  draft.types = draft.types.map((one) => (one === found ? now : { ...one, type: updated(one.type) }));
  for (const table of draft.tables) {
    for (const column of table.columns.filter(({ type }) => usesType(type, oid))) {
      table.columns = table.columns.map((one) => (one === column ? { ...one, type: updated(one.type) } : one));
      mark(table, column.attnum, step);
    }
  }
  return [];
}

function drop(
  draft: Draft,
  step: Extract<Change, { kind: "drop-type" }>,
  found: NamedType,
  note: MakeNote,
): readonly Note[] {
  const { oid } = found.type;
  draft.types = draft.types.filter((one) => one !== found);
  const using = draft.tables.flatMap((table) =>
    table.dropped === undefined
      ? table.columns.filter(({ type }) => usesType(type, oid)).map((column) => ({ table, column }))
      : [],
  );
  if (using.length > 0 && !step.cascade)
    return note(`PostgreSQL refuses this: column ${using[0]?.column.name ?? ""} has the type`);
  return using.flatMap(({ table, column }) => dropColumn(table, column, step));
}

function relabel(
  draft: Draft,
  step: Extract<Change, { kind: "add-label" | "rename-label" }>,
  found: NamedType,
  note: MakeNote,
): readonly Note[] {
  const { detail } = found.type;
  if (detail?.kind !== "enum") return note(`${found.name} is no enum`);
  const labels = step.kind === "add-label" ? withLabel(detail.labels, step) : renamed(detail.labels, step);
  if (labels === undefined)
    return step.kind === "add-label" && step.unlessThere ? [] : note(`the labels of ${found.name} differ`);
  // The ids of the labels (pg_enum.oid) are not known for new ones, so none is given.
  const now = { kind: "enum", name: detail.name, labels } as const;
  return replace(draft, step, found, { ...found, type: { ...found.type, detail: now } });
}

/** undefined if the label is there already, or if its neighbour is missing. */
function withLabel(
  labels: readonly string[],
  { label, next, after }: Extract<Change, { kind: "add-label" }>,
): readonly string[] | undefined {
  const at = next === undefined ? labels.length : labels.indexOf(next) + (after ? 1 : 0);
  if (labels.includes(label) || (next !== undefined && !labels.includes(next))) return undefined;
  return labels.toSpliced(at, 0, label);
}

function renamed(
  labels: readonly string[],
  { label, to }: { label: string; to: string },
): readonly string[] | undefined {
  return labels.includes(label) ? labels.map((one) => (one === label ? to : one)) : undefined;
}
