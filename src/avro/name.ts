export interface TypeName {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly fullName: string;
}

/**
 * True if `text` is valid as one part of a name by Java's default rule: it starts with a Unicode letter of the basic
 * plane or `_`, and may go on with digits.
 */
export function isName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(text) && !/[\ud800-\udfff]/.test(text);
}

/** A name with a dot contains its namespace. `.X` is in the null namespace. */
export function splitName(text: string, namespace: string | undefined): TypeName {
  const dot = text.lastIndexOf(".");
  const own = dot < 0 ? namespace : text.slice(0, dot);
  const space = own === "" ? undefined : own;
  const name = text.slice(dot + 1);
  return { name, namespace: space, fullName: space === undefined ? name : `${space}.${name}` };
}

/** The full name that a reference refers to first. Unlike in a definition, a leading dot is kept. */
export function qualify(name: string, namespace: string | undefined): string {
  return namespace === undefined || name.includes(".") ? name : `${namespace}.${name}`;
}
