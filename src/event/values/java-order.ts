/** java.lang.String.hashCode. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/**
 * Entries in the iteration order of a java.util.HashMap to which they are added one by one: Debezium keeps an hstore and
 * a sparse vector in such a map. `least` is the map's initial capacity.
 */
export function javaOrder<T>(entries: readonly T[], hashOf: (entry: T) => number, least = 16): readonly T[] {
  let buckets = 1;
  while (buckets < least || entries.length > buckets * 0.75) buckets *= 2;
  const bucketOf = (entry: T): number => {
    const hash = hashOf(entry);
    return (hash ^ (hash >>> 16)) & (buckets - 1);
  };
  return entries.toSorted((a, b) => bucketOf(a) - bucketOf(b));
}
