import fc from "fast-check";
import { written, type Node, type NamedNode, type FieldNode } from "./written.ts";
import type { Json } from "../../src/json.ts";

const NAMES = ["A", "B", "C", "D", "E", "F"];
const NAMESPACES = [undefined, undefined, "n", "m.k"];
const FIELDS = ["a", "b", "c", "d", "e"];
const SYMBOLS = ["U", "V", "W", "X"];
const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
const ALIASES = [...NAMES, "n.A", "m.k.B", "n.C", ".D"];

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const rarely = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T, weight = 4): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary });

const name = { name: some(...NAMES), namespace: some(...NAMESPACES) };
const aliases = rarely(fc.array(some(...ALIASES), { maxLength: 2 }), []);
const primitive = fc.record({
  kind: fc.constant("primitive" as const),
  type: some(...PRIMITIVES),
  logical: rarely(fc.nat(2), 0),
});
const symbols = fc.uniqueArray(some(...SYMBOLS), { minLength: 1, maxLength: 4 });
const enumNode = fc.record({
  kind: fc.constant("enum" as const),
  ...name,
  aliases,
  symbols,
  default: rarely(fc.nat(3), undefined, 2),
});
const fixed = fc.record({
  kind: fc.constant("fixed" as const),
  ...name,
  aliases,
  size: fc.integer({ min: 1, max: 4 }),
  logical: rarely(fc.nat(2), 0),
});

const { node } = fc.letrec<{ node: Node; record: Node; field: FieldNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    { weight: 5, arbitrary: primitive },
    { weight: 2, arbitrary: fc.oneof(enumNode, fixed) },
    { weight: 3, arbitrary: tie("record") },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("ref" as const), to: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("array" as const), items: tie("node") }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("map" as const), values: tie("node") }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("union" as const),
        branches: fc.array(tie("node"), { minLength: 1, maxLength: 4 }),
      }),
    },
  ),
  record: fc.record({
    kind: fc.constant("record" as const),
    ...name,
    aliases,
    fields: fc.uniqueArray(tie("field"), { maxLength: 4, selector: (field) => field.name }),
  }),
  field: fc.record({
    name: some(...FIELDS),
    aliases: rarely(fc.array(some(...FIELDS), { maxLength: 2 }), []),
    type: tie("node"),
    default: rarely(rarely(fc.nat(3), -1, 0), undefined, 2),
  }),
}));

/** One step from a schema to a similar one: at which node, what kind of step, and which choice. */
const mutation = fc.record({ at: fc.nat(40), what: fc.nat(30), pick: fc.nat(40), node });
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

export interface Pair {
  readonly reader: Json;
  readonly writer: Json;
}

/** A schema and one that is a few steps away, or sometimes an unrelated one. Either may be the reader. */
export const pairs: fc.Arbitrary<Pair> = fc
  .record({
    base: node,
    steps: fc.array(mutation, { maxLength: 3 }),
    stranger: rarely(fc.option(node, { nil: undefined }), undefined, 15),
    swap: fc.boolean(),
  })
  .map(({ base, steps, stranger, swap }) => {
    const one = written(base);
    const other = written(stranger ?? steps.reduce(mutate, structuredClone(base)));
    return swap ? { reader: other, writer: one } : { reader: one, writer: other };
  });

interface Slot {
  readonly node: Node;
  readonly put: (node: Node) => void;
}

function slotsOf(root: Slot): readonly Slot[] {
  const { node: at } = root;
  switch (at.kind) {
    case "array":
      return [root, ...slotsOf({ node: at.items, put: (items) => (at.items = items) })];
    case "map":
      return [root, ...slotsOf({ node: at.values, put: (values) => (at.values = values) })];
    case "union":
      return [
        root,
        ...at.branches.flatMap((branch, index) =>
          slotsOf({ node: branch, put: (other) => (at.branches[index] = other) }),
        ),
      ];
    case "record":
      return [root, ...at.fields.flatMap((field) => slotsOf({ node: field.type, put: (type) => (field.type = type) }))];
    default:
      return [root];
  }
}

function mutate(base: Node, { at, what, pick, node: fresh }: Mutation): Node {
  let root = base;
  const slots = slotsOf({ node: root, put: (other) => (root = other) });
  const slot = slots[at % slots.length];
  if (slot === undefined) return root;
  const steps = stepsFor(slot, pick, structuredClone(fresh));
  steps[what % steps.length]?.();
  return root;
}

type Step = () => void;

function stepsFor(slot: Slot, pick: number, fresh: Node): readonly Step[] {
  const { node: at, put } = slot;
  const general: Step[] = [
    () => put(fresh),
    () => put({ kind: "union", branches: at.kind === "union" ? at.branches.slice(1) : [NULL, at] }),
    () => put(pick % 2 === 0 ? { kind: "array", items: at } : { kind: "map", values: at }),
  ];
  switch (at.kind) {
    case "primitive":
      return [...general, () => (at.type = picked(PRIMITIVES, pick)), () => (at.logical = pick % 3)];
    case "union":
      return [...general, ...unionSteps(at.branches, pick, fresh)];
    case "record":
      return [...general, ...nameSteps(at, pick), ...fieldSteps(at.fields, pick, fresh)];
    case "enum":
      return [
        ...general,
        ...nameSteps(at, pick),
        () => toggle(at.symbols, picked(SYMBOLS, pick)),
        () => (at.default = at.default === undefined ? pick : undefined),
      ];
    case "fixed":
      return [...general, ...nameSteps(at, pick), () => (at.size = 1 + (pick % 4))];
    default:
      return general;
  }
}

const NULL: Node = { kind: "primitive", type: "null", logical: 0 };

function nameSteps(at: NamedNode, pick: number): readonly Step[] {
  const old = [...(at.namespace === undefined ? [] : [at.namespace]), at.name].join(".");
  return [
    () => (at.name = picked(NAMES, pick)),
    () => (at.namespace = picked(NAMESPACES, pick)),
    () => Object.assign(at, { name: picked(NAMES, pick), aliases: [...at.aliases, old] }),
    () => toggle(at.aliases, picked(ALIASES, pick)),
  ];
}

function unionSteps(branches: Node[], pick: number, fresh: Node): readonly Step[] {
  return [
    () => void branches.push(fresh),
    () => void branches.splice(pick % (branches.length + 1), 1),
    () => void branches.push(...branches.splice(0, 1)),
  ];
}

function fieldSteps(fields: FieldNode[], pick: number, fresh: Node): readonly Step[] {
  const field = fields[pick % Math.max(1, fields.length)];
  const added = FIELDS.find((one) => !fields.some((known) => known.name === one));
  const add = (withDefault: number | undefined): void => {
    if (added !== undefined) fields.push({ name: added, aliases: [], type: fresh, default: withDefault });
  };
  const steps: Step[] = [() => add(undefined), () => add(pick), () => void fields.push(...fields.splice(0, 1))];
  if (field === undefined) return steps;
  const renamed = (): void => void (field.name = added ?? field.name);
  return [
    ...steps,
    () => void fields.splice(fields.indexOf(field), 1),
    renamed,
    () => {
      field.aliases = [...field.aliases, field.name];
      renamed();
    },
    () => toggle(field.aliases, picked(FIELDS, pick)),
    () => (field.default = field.default === undefined ? pick : undefined),
  ];
}

function picked<T>(list: readonly [T, ...T[]] | readonly T[], pick: number): T {
  return list[pick % list.length] as T; // the lists here are not empty
}

function toggle(list: string[], one: string): void {
  const at = list.indexOf(one);
  if (at < 0) list.push(one);
  else if (list.length > 1) list.splice(at, 1);
}
