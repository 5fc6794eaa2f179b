import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { startHttp } from "../../../src/http/start-http.ts";
import { readTokenList } from "../../../src/http/token-file.ts";
import { fakeApi } from "../../http/fake-api.ts";
import { certificateAuthority } from "../../stack/certificates.ts";
import { runHere } from "../in-process.ts";
import type { CliOptions } from "../run-cli.ts";

const ID = "inventory.public.customers/3";
const silent = pino({ level: "silent" });

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "fieldgate-access-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const cli = (args: string, env: CliOptions["env"] = {}) => runHere(args.split(" "), { cwd: folder, env });
const inFile = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("token new", () => {
  it("prints a token once, and an entry for the service that has only its hash", async () => {
    const { code, out } = await cli("token new --name ci-billing --scope read --scope contracts:* --scope read");
    expect(code).toBe(0);
    const token = /^fg_\S+$/m.exec(out)?.[0] ?? "";
    const entry = out.slice(out.indexOf("- name:"));
    expect([...readTokenList(entry, "f").values()]).toEqual([{ name: "ci-billing", scopes: ["read", "contracts:*"] }]);
    expect(entry).not.toContain(token.slice(3));
  });

  it.each([
    ["token new --name a@b --scope read", /--name must be up to 100 letters/],
    ["token new --name a --scope admin", /--scope must be read, contracts/],
    ["token new --name a", /--scope/],
  ])("%s is refused", async (args, message) => {
    const { code, err } = await cli(args);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });
});

describe("a command", () => {
  it("acts under its token's name over https with the given CA; otherwise the error says how to continue", async () => {
    await using authority = await certificateAuthority();
    const created = JSON.parse((await cli("token new --name on-call --scope operate:inventory --format json")).out);
    const tokensFile = inFile("tokens.json", JSON.stringify([created.entry]));
    const api = fakeApi();
    const tls = { ...(await authority.issue("api")), passphrase: undefined };
    const http = await startHttp(api, { host: "127.0.0.1", port: 0, tokensFile, tls, log: silent });
    const token = { FIELDGATE_TOKEN_FILE: inFile("token", `${created.token}\n`) };
    const trusted = { FIELDGATE_URL: http.url, ...token, FIELDGATE_CA_FILE: authority.caFile };
    const released = await cli(`release ${ID}`, trusted);
    expect([released.code, released.err]).toEqual([0, ""]);
    expect(api.commands).toMatchObject([{ actor: "on-call" }]);
    const listed = await cli("amendments", trusted);
    expect([listed.code, listed.err]).toEqual([1, expect.stringMatching(/^fieldgate: \[forbidden\] .* scope read\n/)]);
    const unknown = await cli("amendments", { ...trusted, FIELDGATE_CA_FILE: "" });
    expect(unknown.err).toMatch(
      /^fieldgate: \[unreachable\] .*certificate of the service .* is not trusted[^]*FIELDGATE_CA_FILE/,
    );
    const plain = await cli("amendments", { ...trusted, FIELDGATE_URL: http.url.replace("https:", "http:") });
    expect(plain.err).toMatch(/\[unreachable\] .*\n {2}next: .*should FIELDGATE_URL start with https/);
    expect([listed.err, unknown.err].join()).not.toContain(created.token);
    await http.close();
  });

  it("does not follow a redirect with its token", async () => {
    const asked: (string | undefined)[] = [];
    const thief = createServer((request, answer) => {
      asked.push(request.headers.authorization);
      answer.end("[]");
    });
    const server = createServer((_request, answer) => {
      const { port } = thief.address() as AddressInfo; // a TCP server's address is an object
      answer.writeHead(302, { location: `http://127.0.0.1:${port}/v1/amendments` }).end();
    });
    for (const each of [thief, server]) await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo; // a TCP server's address is an object
    const env = { FIELDGATE_URL: `http://127.0.0.1:${port}`, FIELDGATE_TOKEN: "a-token-of-some-length" };
    expect((await cli("amendments", env)).err).toMatch(/answered with status 302, but not like a Fieldgate service/);
    expect(asked).toEqual([]);
    for (const each of [thief, server]) each.close();
  });

  it("warns before a token is sent unencrypted to a different machine, but not to this one", async () => {
    const token = { FIELDGATE_TOKEN: "a-token-of-some-length" };
    const far = await cli("amendments", { FIELDGATE_URL: "http://fieldgate.invalid:1", ...token });
    expect(far.err).toMatch(/^fieldgate: FIELDGATE_URL uses http to a different machine/);
    const near = await cli("amendments", { FIELDGATE_URL: "http://127.0.0.1:1", ...token });
    expect(near.err).toMatch(/^fieldgate: \[unreachable\]/);
  });

  it("says what is wrong with a secret's file without showing its path", async () => {
    const { code, err } = await cli("amendments", { FIELDGATE_TOKEN_FILE: "/hunter2", FIELDGATE_CA: "hunter2" });
    expect(code).toBe(1);
    expect(err).toMatch(/2 mistakes[^]*FIELDGATE_TOKEN_FILE names a file[^]*FIELDGATE_CA must be certificates/);
    expect(err).not.toMatch(/hunter2/);
  });
});
