/** A schema's text for people; as it is where JavaScript's numbers would change it. */
export function indented(schema: string): string {
  const json: unknown = JSON.parse(schema);
  return JSON.stringify(json) === schema ? JSON.stringify(json, null, 2) : schema;
}
