/** PEM texts for TLS to a server. Without `ca`: the authorities Node comes with. `cert` and `key` go together. */
export interface TlsTexts {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly passphrase: string | undefined;
}

export interface KafkaSettings {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  /** undefined: no TLS. */
  readonly tls: TlsTexts | undefined;
  readonly sasl:
    | {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

export interface RegistrySettings {
  /** At least one, without user and password: safe to show. */
  readonly urls: readonly string[];
  readonly auth:
    | { readonly kind: "basic"; readonly username: string; readonly password: string }
    | { readonly kind: "bearer"; readonly token: string }
    | undefined;
  readonly tls: TlsTexts;
}

/** Settings of the service as a whole, from the environment. */
export interface ServiceConfig {
  readonly kafka: KafkaSettings;
  readonly registry: RegistrySettings;
  readonly deployment: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** One token that may do everything. */
    readonly token: string | undefined;
    readonly tokensFile: string | undefined;
    /** undefined: plain http. `cert` and `key` are set. */
    readonly tls: TlsTexts | undefined;
  };
  readonly slackWebhookUrl: string | undefined;
  /** Without it: for people on a terminal, else JSON. */
  readonly logFormat: "json" | "pretty" | undefined;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  /** Directory of the connector files. */
  readonly connectorsDir: string;
}
