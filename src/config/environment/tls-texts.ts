import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import { z } from "zod";

import type { Mistake } from "../../mistake.ts";
import type { TlsTexts } from "../../request.ts";
import { variable } from "./variables.ts";

/**
 * The variables with this prefix for TLS to a server: an authority's certificate, a client certificate, its key and the
 * key's passphrase.
 */
export function tlsVariables<Prefix extends string>(prefix: Prefix): TlsShape<Prefix> {
  return {
    [`${prefix}_CA`]: pem("be certificates in PEM form"),
    [`${prefix}_CERT`]: pem("be a certificate in PEM form"),
    [`${prefix}_KEY`]: pem("be a private key in PEM form"),
    [`${prefix}_KEY_PASSPHRASE`]: pem("be the key's passphrase"),
  } as TlsShape<Prefix>; // TypeScript widens computed names to string
}

function pem(must: string) {
  return variable(z.string().optional(), must, "…", "file");
}

type TlsName<Prefix extends string> = `${Prefix}_${"CA" | "CERT" | "KEY" | "KEY_PASSPHRASE"}`;
type TlsShape<Prefix extends string> = Readonly<Record<TlsName<Prefix>, z.ZodOptional<z.ZodString>>>;

/** The texts that these variables contain. */
export function tlsTexts<Prefix extends string>(
  prefix: Prefix,
  values: { readonly [Name in TlsName<Prefix>]?: string | undefined },
): Required<TlsTexts> {
  return {
    ca: values[`${prefix}_CA`],
    cert: values[`${prefix}_CERT`],
    key: values[`${prefix}_KEY`],
    passphrase: values[`${prefix}_KEY_PASSPHRASE`],
  };
}

/**
 * Checks that Node accepts these PEM texts, that the passphrase opens the key, and that the key matches the
 * certificate.
 */
export function tlsMistakes(prefix: string, { ca, cert, key, passphrase }: TlsTexts): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  for (const [name, text] of Object.entries({ CA: ca, CERT: cert })) {
    if (text !== undefined && !areCertificates(text)) {
      mistakes.push({ key: `${prefix}_${name}`, reason: "must be certificates in PEM form" });
    }
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ["KEY", "CERT"] : ["CERT", "KEY"];
    mistakes.push({
      key: `${prefix}_${lacks}`,
      reason: `is missing: ${prefix}_${has} is set, and a certificate and its key are needed together`,
    });
  }
  if (passphrase !== undefined && key === undefined) {
    mistakes.push({ key: `${prefix}_KEY_PASSPHRASE`, reason: `is set without ${prefix}_KEY` });
  }
  return mistakes.length > 0 ? mistakes : contextMistakes(prefix, { cert, key, passphrase });
}

/** Node silently skips the parts of a `ca` that it cannot parse, so each certificate is parsed here. */
function areCertificates(text: string): boolean {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    return found.map((one) => new X509Certificate(one)).length > 0;
  } catch {
    return false;
  }
}

function contextMistakes(prefix: string, { cert, key, passphrase }: TlsTexts): readonly Mistake[] {
  if (cert === undefined || key === undefined) return [];
  try {
    createSecureContext({ cert, key, ...(passphrase === undefined ? {} : { passphrase }) });
    return [];
  } catch (error) {
    const code = error instanceof Error ? String(Reflect.get(error, "code") ?? "") : "";
    if (/KEY_VALUES_MISMATCH/.test(code)) return [{ key: `${prefix}_KEY`, reason: `is not the key of ${prefix}_CERT` }];
    return [keyMistake(prefix, key, passphrase)];
  }
}

/**
 * OpenSSL's code does not say whether the passphrase is wrong: one wrong passphrase in 256 decrypts to bytes that end
 * like a padding, and then the key is reported as one of an unsupported format.
 */
function keyMistake(prefix: string, key: string, passphrase: string | undefined): Mistake {
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(key)) {
    const reason = passphrase === undefined ? "is missing: the key is encrypted" : `does not open ${prefix}_KEY`;
    return { key: `${prefix}_KEY_PASSPHRASE`, reason };
  }
  return { key: `${prefix}_KEY`, reason: "must be a private key in PEM form" };
}
