/** A deliberate break of the sources, which some story must show (breaks.ts). */
export interface Break {
  readonly name: string;
  readonly file: string;
  /** The text that is replaced: it stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

export const BREAKS: readonly Break[] = [
  {
    name: "no backfill follows a release",
    file: "src/gate/decision/release.ts",
    from: `const wanted = released.order?.backfill === "all" || needsBackfill(released, field, published);`,
    to: "const wanted = needsBackfill(released, field, published) && false;",
  },
  {
    name: "columns are told apart by their names",
    file: "src/guard/control/prove.ts",
    from: `  switch (proof.kind) {`,
    to: `  const named = relation.columns.map(
    ({ name }) => (known.columns.find((one) => one.name === name) ?? live.find((one) => one.name === name))?.attnum,
  );
  if (named.every((one) => one !== undefined)) return named;
  switch (proof.kind) {`,
  },
  {
    name: "a gap in what is sent is ignored",
    file: "src/gate/amendment/gap.ts",
    from: "job: repairFor(rules, table.shape)",
    to: "job: undefined",
  },
  {
    name: "a withheld column is let through",
    file: "src/gate/decision/policy.ts",
    from: `      return waits({ kind: "policy-manual" });`,
    to: `      return flows({ kind: "policy-observe" }, amendment);`,
  },
  {
    name: "rewritten values are not published again",
    file: "src/gate/amendment/changed-values.ts",
    from: "input.rewritten === true || isRewritten(table, file)",
    to: "input.rewritten === true",
  },
  {
    name: "a renamed label is not noticed",
    file: "src/gate/amendment/changed-values.ts",
    from: "due: isNewFile || relabelled.length > 0",
    to: "due: isNewFile",
  },
  {
    name: "rows that were published in doubt are left as they are",
    file: "src/gate/amendment/seen.ts",
    from: "(proven && table.emptied === true) ||",
    to: "",
  },
  {
    name: "a backfill's rows replace changes that came after they were read",
    file: "src/chunk/window.ts",
    from: "if (!window.touched.has(key)) publish.push(index);",
    to: "if (!window.touched.has(key) || !window.incomplete.has(key)) publish.push(index);",
  },
];
