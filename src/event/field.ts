import type { Finding } from "../finding.ts";
import type { Column } from "../table/column.ts";
import type { Field } from "../table/shape.ts";

export type Mapped =
  | { readonly kind: "field"; readonly field: Field }
  | { readonly kind: "left-out"; readonly finding: Finding };

export function fieldOf(_column: Column): Mapped {
  throw new Error("not yet");
}

export function widen(_field: Field): Field {
  throw new Error("not yet");
}
