/**
 * Names a page of the documentation in a message. The reader is often in a repository that only has the npm package, or
 * in a container: both contain `docs`.
 */
export function page(file: string): string {
  return `docs/${file} in the fieldgate package`;
}
