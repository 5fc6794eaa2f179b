import type { Json } from "../../json.ts";

/**
 * The records Debezium writes values as, in AvroData's rendering: io.debezium.data.VariableScaleDecimal,
 * io.debezium.data.geometry (Point, Circle, Line, Geometry, Geography) and SparseDoubleVector.
 */
export const VARIABLE_SCALE_TYPE: AvroType = {
  type: "record",
  name: "VariableScaleDecimal",
  namespace: "io.debezium.data",
  fields: [
    { name: "scale", type: "int" },
    { name: "value", type: "bytes" },
  ],
  "connect.doc": "Variable scaled decimal",
  "connect.version": 1,
  "connect.name": "io.debezium.data.VariableScaleDecimal",
};

const SPACE = "io.debezium.data.geometry";
const SRID = { name: "srid", type: ["null", "int"], default: null } as const;
const POINT_FIELDS = [
  { name: "x", type: "double" },
  { name: "y", type: "double" },
  { name: "wkb", type: ["null", "bytes"], default: null },
  SRID,
] as const;

function connect(name: string, doc: string, version: number): { readonly [key: string]: string | number } {
  return { "connect.doc": doc, "connect.version": version, "connect.name": `${SPACE}.${name}` };
}

export const POINT: AvroType = {
  type: "record",
  name: "Point",
  namespace: SPACE,
  fields: POINT_FIELDS,
  ...connect("Point", "Geometry (POINT)", 1),
};

export const CIRCLE: AvroType = {
  type: "record",
  name: "Circle",
  namespace: SPACE,
  fields: [
    {
      name: "center",
      type: { type: "record", name: "Point", fields: POINT_FIELDS, ...connect("Point", "Geometry (POINT)", 1) },
    },
    { name: "radius", type: "double" },
  ],
  ...connect("Circle", "Geometry (CIRCLE)", 1),
};

export const LINE: AvroType = {
  type: "record",
  name: "Line",
  namespace: SPACE,
  fields: [
    { name: "a", type: "double" },
    { name: "b", type: "double" },
    { name: "c", type: "double" },
  ],
  ...connect("Line", "Geometry (LINE)", 1),
};

export const GEOMETRY: AvroType = {
  type: "record",
  name: "Geometry",
  namespace: SPACE,
  fields: [
    { name: "wkb", type: "bytes" },
    SRID,
    { name: "extensions", type: ["null", { type: "map", values: "string" }], default: null },
  ],
  ...connect("Geometry", "Geometry", 2),
};

export const GEOGRAPHY: AvroType = {
  type: "record",
  name: "Geography",
  namespace: SPACE,
  fields: [{ name: "wkb", type: "bytes" }, SRID],
  ...connect("Geography", "Geography", 1),
};

/** A map whose keys are no strings is an array of entries to AvroConverter. */
export const SPARSE_VECTOR: AvroType = {
  type: "record",
  name: "SparseDoubleVector",
  namespace: "io.debezium.data",
  fields: [
    { name: "dimensions", type: { type: "int", "connect.type": "int16" } },
    {
      name: "vector",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "MapEntry",
          namespace: "io.confluent.connect.avro",
          fields: [
            { name: "key", type: { type: "int", "connect.type": "int16" } },
            { name: "value", type: "double" },
          ],
        },
      },
    },
  ],
  "connect.doc": "Sparse double vector",
  "connect.version": 1,
  "connect.name": "io.debezium.data.SparseDoubleVector",
};

/** An Avro type without null and default, its properties in AvroData's order. */
export type AvroType = string | { readonly [key: string]: Json };
