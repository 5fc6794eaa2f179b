import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate and its key, in PEM and as files. The key is in PKCS #8 format, and its file has mode 0600. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Issue {
  /** The hosts in the certificate; by default `localhost` and `127.0.0.1`. */
  readonly hosts?: readonly string[] | undefined;
  /** Encrypts the key (PBES2, AES-256). */
  readonly passphrase?: string | undefined;
}

/** A certificate authority for one test. Disposing it removes its files. */
export interface Authority extends AsyncDisposable {
  readonly folder: string;
  /** The authority's certificate, which the other end must trust. */
  readonly ca: string;
  readonly caFile: string;
  /** Issues a certificate for a server or a client; `name` is its common name and the name of its files. */
  issue(name: string, options?: Issue): Promise<Certificate>;
}

async function openssl(folder: string, ...args: readonly string[]): Promise<void> {
  await run("openssl", [...args], { cwd: folder }).catch((error: unknown) => {
    const missing = error instanceof Error && Reflect.get(error, "code") === "ENOENT";
    throw missing ? new Error("these tests make certificates with openssl: install it", { cause: error }) : error;
  });
}

const KEY = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

function alternativeNames(hosts: readonly string[]): string {
  return hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? "IP" : "DNS"}:${host}`).join(",");
}

async function issue(folder: string, name: string, options: Issue): Promise<Certificate> {
  const { hosts = ["localhost", "127.0.0.1"], passphrase } = options;
  const encrypted = passphrase === undefined ? [] : ["-aes-256-cbc", "-pass", `pass:${passphrase}`];
  const opened = passphrase === undefined ? [] : ["-passin", `pass:${passphrase}`];
  const [key, request, extensions, cert] = ["key", "csr", "ext", "crt"].map((end) => `${name}.${end}`) as [
    string,
    string,
    string,
    string,
  ]; // map keeps the number of elements
  await openssl(folder, ...KEY, ...encrypted, "-out", key);
  await openssl(folder, "req", "-new", "-key", key, ...opened, "-subj", `/CN=${name}`, "-out", request);
  await writeFile(
    join(folder, extensions),
    `subjectAltName=${alternativeNames(hosts)}\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extensions];
  await openssl(folder, "x509", "-req", "-in", request, ...signing, "-out", cert);
  const [keyFile, certFile] = [join(folder, key), join(folder, cert)];
  return { cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8"), certFile, keyFile };
}

/** Creating the authority takes about 50 ms, as does each certificate. */
export async function certificateAuthority(name = "Test authority"): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "fieldgate-certificates-"));
  await openssl(folder, ...KEY, "-out", "ca.key");
  const self = ["req", "-x509", "-new", "-key", "ca.key", "-days", "2", "-subj", `/CN=${name}`];
  await openssl(folder, ...self, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", "ca.crt");
  const caFile = join(folder, "ca.crt");
  return {
    folder,
    ca: await readFile(caFile, "utf8"),
    caFile,
    issue: (common, options = {}) => issue(folder, common, options),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
