import {
  checkCompatibility,
  hasNameOf,
  isAlike,
  isPromotion,
  writtenFields,
} from "../../avro/reading/compatibility.ts";
import { isNamed, type AvroSchema, type RecordField } from "../../avro/schema.ts";

/**
 * Walks schemas for the rules: `placesOf` lists every type of one schema, and `meetingsOf` lists every pair of types that
 * meet when Java reads a writer's data with a reader's schema.
 */

/** A type at its place in a schema. */
export interface Place {
  readonly schema: AvroSchema;
  readonly path: readonly string[];
  /** The namespace of the innermost record that contains the type. */
  readonly namespace: string | undefined;
  /** True if the same type appeared at an earlier place. */
  readonly again: boolean;
  /** The field whose type this is. */
  readonly field?: RecordField | undefined;
}

/** A reader's type and the written type that Java reads into it; neither is a union. */
export interface Meeting {
  readonly reader: AvroSchema;
  readonly writer: AvroSchema;
  readonly path: readonly string[];
  /** The reader's union that Java chose `reader` from, and the writer's union that `writer` belongs to. */
  readonly union?: AvroSchema | undefined;
  readonly writersUnion?: AvroSchema | undefined;
  readonly certainty: "always" | "on-some-data";
}

/** Every type of a schema, in the order of its text. A type that contains itself is visited once. */
export function placesOf(root: AvroSchema): readonly Place[] {
  const places: Place[] = [];
  const met = new Set<AvroSchema>();
  const visit = (place: Omit<Place, "again">): void => {
    const { schema, path, namespace } = place;
    const again = isNamed(schema) && met.has(schema);
    places.push({ ...place, again });
    if (again) return;
    met.add(schema);
    if (schema.kind === "array") visit({ schema: schema.items, path: [...path, "[]"], namespace });
    if (schema.kind === "map") visit({ schema: schema.values, path: [...path, "{}"], namespace });
    if (schema.kind === "union") for (const branch of schema.branches) visit({ schema: branch, path, namespace });
    if (schema.kind !== "record") return;
    for (const field of schema.fields) {
      visit({ schema: field.type, path: [...path, field.name], namespace: schema.namespace, field });
    }
  };
  visit({ schema: root, path: [], namespace: undefined });
  return places;
}

/**
 * The pairs of types that meet when Java reads a compatible pair, each once. Fields with the same plain type on both
 * sides, alone or in a union with null, are left out, because no rule applies to them. Most fields are like that.
 */
export function meetingsOf(root: AvroSchema, written: AvroSchema): readonly Meeting[] {
  const meetings: Meeting[] = [];
  const met = new Map<AvroSchema, Set<AvroSchema>>();
  const visit = (meeting: Meeting): void => {
    const { reader, writer, path, certainty } = meeting;
    const known = met.get(reader) ?? new Set();
    if (isNamed(reader) && isNamed(writer) && known.has(writer)) return;
    met.set(reader, known.add(writer));
    if (writer.kind === "union") {
      const several = writer.branches.filter(({ kind }) => kind !== "null").length > 1;
      const branchCertainty = several ? "on-some-data" : certainty;
      for (const branch of writer.branches) {
        visit({ reader, writer: branch, path, certainty: branchCertainty, writersUnion: writer });
      }
    } else if (reader.kind === "union") {
      const branch = chosen(reader.branches, writer);
      if (branch !== undefined) visit({ ...meeting, reader: branch, union: reader });
    } else {
      meetings.push(meeting);
      for (const inner of innerOf(meeting)) visit(inner);
    }
  };
  visit({ reader: root, writer: written, path: [], certainty: "always" });
  return meetings;
}

function innerOf({ reader, writer, path, certainty }: Meeting): readonly Meeting[] {
  if (reader.kind === "array" && writer.kind === "array") {
    return [{ reader: reader.items, writer: writer.items, path: [...path, "[]"], certainty }];
  }
  if (reader.kind === "map" && writer.kind === "map") {
    return [{ reader: reader.values, writer: writer.values, path: [...path, "{}"], certainty }];
  }
  if (reader.kind !== "record" || writer.kind !== "record") return [];
  return reader.fields.flatMap((field) => {
    const [source] = writtenFields(field, writer);
    if (source === undefined) return NONE;
    const isPlain = isAlike(field.type, source.type) && ![field.type, source.type].some(hasLogicalType);
    if (isPlain) return NONE;
    return [{ reader: field.type, writer: source.type, path: [...path, field.name], certainty }];
  });
}

const NONE: readonly Meeting[] = [];

/** True if the type has a logical type. Libraries convert such values, so they are never plain. */
function hasLogicalType(schema: AvroSchema): boolean {
  if (schema.kind === "union") return schema.branches.some(hasLogicalType);
  return schema.props["logicalType"] !== undefined;
}

/** The branch that Java chooses: by alias, full name, name, the same kind, or finally by promotion. */
export function chosen(branches: readonly AvroSchema[], writer: AvroSchema): AvroSchema | undefined {
  const like = branches.filter((branch) => branch.kind === writer.kind || isPromotion(branch, writer));
  if (like.length < 2) return like[0];
  const reads = like.filter((branch) => checkCompatibility(branch, writer).compatible);
  const alike = reads.filter(({ kind }) => kind === writer.kind);
  const byName = isNamed(writer)
    ? [
        alike.find((branch) => isNamed(branch) && branch.aliases.includes(writer.fullName)),
        alike.find((branch) => isNamed(branch) && branch.fullName === writer.fullName),
        alike.find((branch) => isNamed(branch) && hasNameOf(branch, writer)),
      ]
    : [];
  // If none reads by Java's rule, the decoder takes a record whatever its name is.
  const ofKind = like.filter(({ kind }) => kind === writer.kind);
  return [...byName, ...alike, ...reads, ...ofKind].find((branch) => branch !== undefined);
}

/** True if the reader uses the default of its field at `path`, because the events do not have the field. */
export function isUsed(meetings: readonly Meeting[], path: readonly string[]): boolean {
  const name = path.at(-1);
  const around = path.slice(0, -1).join("\n");
  return meetings.some(({ reader, writer, path: there }) => {
    if (reader.kind !== "record" || writer.kind !== "record" || there.join("\n") !== around) return false;
    const field = reader.fields.find((own) => own.name === name);
    return field !== undefined && writtenFields(field, writer).length === 0;
  });
}

/** A type's kind, followed by its name if it has one, for messages. */
export function nameOf(schema: AvroSchema): string {
  return isNamed(schema) ? `${schema.kind} ${schema.fullName}` : schema.kind;
}
