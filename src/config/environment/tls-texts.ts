import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import type { Mistake } from "../../mistake.ts";
import type { TlsTexts } from "./settings.ts";

/** Are these PEM texts a whole that Node takes: the key opens, and is the certificate's. `prefix` names the variables. */
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
      reason: `is missing: ${prefix}_${has} is set, and a certificate goes with its key`,
    });
  }
  if (passphrase !== undefined && key === undefined) {
    mistakes.push({ key: `${prefix}_KEY_PASSPHRASE`, reason: `is set without ${prefix}_KEY` });
  }
  return mistakes.length > 0 ? mistakes : contextMistakes(prefix, { ca, cert, key, passphrase });
}

/** Node passes over what it does not understand of a `ca`, so each is looked at. */
function areCertificates(text: string): boolean {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    return found.map((pem) => new X509Certificate(pem)).length > 0;
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
    return [contextMistake(prefix, code, passphrase)];
  }
}

function contextMistake(prefix: string, code: string, passphrase: string | undefined): Mistake {
  if (/PASSPHRASE|BAD_DECRYPT|BAD_PASSWORD|INTERRUPTED_OR_CANCELLED/.test(code)) {
    const reason = passphrase === undefined ? "is missing: the key is encrypted" : `does not open ${prefix}_KEY`;
    return { key: `${prefix}_KEY_PASSPHRASE`, reason };
  }
  if (/KEY_VALUES_MISMATCH/.test(code)) return { key: `${prefix}_KEY`, reason: `is not the key of ${prefix}_CERT` };
  return { key: `${prefix}_KEY`, reason: "must be a private key in PEM form" };
}
