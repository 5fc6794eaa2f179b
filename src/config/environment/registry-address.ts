export interface RegistryAddress {
  /** Without user and password: safe to show. */
  readonly url: string;
  readonly auth: { readonly kind: "basic"; readonly username: string; readonly password: string } | undefined;
}

/** Takes `https://user:password@host` apart; undefined when it is no http(s) URL. */
export function readRegistryAddress(text: string): RegistryAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) return undefined;
  const [username, password] = [decoded(url.username), decoded(url.password)];
  url.username = "";
  url.password = "";
  const auth = username === "" && password === "" ? undefined : ({ kind: "basic", username, password } as const);
  return { url: url.href.replace(/\/+$/, ""), auth };
}

/** A `%` that escapes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
