import fc from "fast-check";
import { expect, it } from "vitest";
import { mention } from "../../src/slack/message.ts";

it.each([
  ["@team-billing", "@team-billing"],
  ["<@U012AB3CD>", "<@U012AB3CD>"],
  ["<@W012AB3CD>", "<@W012AB3CD>"],
  ["<!subteam^S012AB3CD>", "<!subteam^S012AB3CD>"],
  ["<!subteam^S012AB3CD|@billing>", "<!subteam^S012AB3CD>"],
  ["Anna <@U012AB3CD> & <!subteam^S1234>!", "Anna <@U012AB3CD> &amp; <!subteam^S1234>!"],
  ["<!channel>", "&lt;!channel&gt;"],
  ["<!here|here>", "&lt;!here|here&gt;"],
  ["<!everyone>", "&lt;!everyone&gt;"],
  ["<#C012AB3CD>", "&lt;#C012AB3CD&gt;"],
  ["<https://evil.example|click>", "&lt;https://evil.example|click&gt;"],
  ["<!subteam^S1<!channel>>", "&lt;!subteam^S1&lt;!channel&gt;&gt;"],
  ["<@U1|<!here>>", "&lt;@U1|&lt;!here&gt;&gt;"],
  ["<@u012ab3cd>", "&lt;@u012ab3cd&gt;"],
])("owner %s is shown as %s", (owner, shown) => {
  expect(mention(owner)).toBe(shown);
});

it("whatever an owner contains, only users and groups are mentioned", () => {
  const piece = fc.constantFrom("<", ">", "!", "@", "|", "^", "channel", "here", "subteam", "U12", "S12", "&", "a");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const left = mention(pieces.join("")).replaceAll(/<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>/g, "");
      expect(left).not.toMatch(/[<>]/);
    }),
  );
});
