import { escaped } from "./blocks.ts";

/** A user or a user group by id; a group's label is left out. Never a channel, `<!here>` or a link. */
const ID = /<@([UW][A-Z0-9]{2,30})>|<!subteam\^(S[A-Z0-9]{2,30})(?:\|[^<>|]*)?>/g;

/**
 * An owner as the contract says it: ids in Slack's form mention whom they name, everything else is text. So
 * `@team-billing` is shown and calls nobody.
 */
export function mention(owner: string): string {
  let text = "";
  let from = 0;
  for (const match of owner.matchAll(ID)) {
    const [whole, user, group] = match;
    text += escaped(owner.slice(from, match.index)) + (user === undefined ? `<!subteam^${group}>` : `<@${user}>`);
    from = match.index + whole.length;
  }
  return text + escaped(owner.slice(from));
}
