import type avsc from "avsc";

/** Field names from the root of the longs that a number cannot hold, `[]` for items and `{}` for a map's values. */
export function longsBeyond(type: avsc.Type, bytes: Buffer, resolver?: avsc.Resolver): readonly string[] {
  const found = new Set<string>();
  const look = (value: unknown, path: string): void => {
    if (typeof value === "bigint") {
      if (!Number.isSafeInteger(Number(value))) found.add(path);
    } else if (Array.isArray(value)) {
      for (const item of value) look(item, `${path}[]`);
    } else if (typeof value === "object" && value !== null && !Buffer.isBuffer(value)) {
      // avsc's records have a class of their own. A map's keys are data, which no message shows.
      const isMap = Object.getPrototypeOf(value) === Object.prototype;
      for (const [name, member] of Object.entries(value)) look(member, isMap ? `${path}{}` : joined(path, name));
    }
  };
  look(type.fromBuffer(bytes, resolver), "");
  return [...found];
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
