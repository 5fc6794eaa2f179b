/**
 * The settings of its file that the connector's last run used, as far as a different value would change what is
 * published.
 */
export interface LastRun {
  /** The values as text, by their key in the connector's file. */
  readonly keys: FileKeys;
  /** By key: the value before a change that has not been reported to people yet. */
  readonly unreported: FileKeys;
}

export type FileKeys = Readonly<Record<string, string>>;

/** The last run after these keys were read. A change that was undone before it was reported does not count. */
export function followKeys({ keys: before, unreported }: LastRun, keys: FileKeys): LastRun {
  const names = [...new Set([...Object.keys(unreported), ...Object.keys(keys)])];
  const open = names.flatMap((name) => {
    // If an earlier version did not record a key, it is not known to have changed.
    const was = unreported[name] ?? before[name];
    return was === undefined || was === keys[name] ? [] : [[name, was] as const];
  });
  return { keys, unreported: Object.fromEntries(open) };
}

export function isSameRun(left: LastRun, right: LastRun): boolean {
  return JSON.stringify([left.keys, left.unreported]) === JSON.stringify([right.keys, right.unreported]);
}
