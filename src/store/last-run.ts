/** What the connector's last run used of its file, as far as another value would change what is published. */
export interface LastRun {
  /** By key of the file, as text. */
  readonly keys: FileKeys;
  /** By key: what it was before a change that has not been reported to people yet. */
  readonly unreported: FileKeys;
}

export type FileKeys = Readonly<Record<string, string>>;

/** The last run after these keys were read. A change that was undone before it was reported is none. */
export function followKeys({ keys: before, unreported }: LastRun, keys: FileKeys): LastRun {
  const names = [...new Set([...Object.keys(unreported), ...Object.keys(keys)])];
  const open = names.flatMap((name) => {
    // A key that an earlier version did not record is not known to have changed.
    const was = unreported[name] ?? before[name];
    return was === undefined || was === keys[name] ? [] : [[name, was] as const];
  });
  return { keys, unreported: Object.fromEntries(open) };
}

export function isSameRun(left: LastRun, right: LastRun): boolean {
  return JSON.stringify([left.keys, left.unreported]) === JSON.stringify([right.keys, right.unreported]);
}
