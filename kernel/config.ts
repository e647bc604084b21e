import { z } from "zod";
import { problem } from "./errors.ts";
import { parseEdges, parseOrigin, parsePeers, parseTemplate } from "./peers.ts";

const port = z.coerce.number().int().min(0).max(65_530);
const flag = z.enum(["0", "1"]).transform((value) => value === "1");
/** An address with one of these protocols; what is wrong is told with an example. */
const address = (protocols: readonly string[], example: string) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `this is no ${protocols.map((protocol) => `${protocol}//`).join(" or ")} address; write for example ${example}`,
    );
/** A word of a form; what is wrong is told with an example. */
const word = (form: RegExp, example: string) => z.string().regex(form, `write for example ${example}`);

const PSEUDONYMS = /^usr~[0-9a-f]{16}(,usr~[0-9a-f]{16}){0,99}$/;

const brokers = z
  .string()
  .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, "write host:port, and more of them after commas without blanks");

/** Text that one of our parsers understands; its message becomes that of the issue. */
const understoodBy = (parse: (text: string) => unknown) =>
  z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    }
  });

/** The whole configuration, from the environment, through this one schema. `marquee doctor` prints it without its secrets. */
export const Config = z.object({
  MARQUEE_PORT: port
    .default(8080)
    .describe("UI and API; edges listen on the next two ports, origin and admin on the two after"),
  MARQUEE_HOST: z
    .string()
    .min(1)
    .max(253)
    .default("localhost")
    .describe("another host than localhost means HTTPS everywhere"),
  MARQUEE_DATA: z.string().min(1).default("./.marquee").describe("everything the product keeps"),
  MARQUEE_DEMO: flag.default(true).describe("1 makes the demo cinema and its accounts on loopback; 0 starts empty"),
  MARQUEE_MODE: z
    .enum(["development", "production"])
    .default("development")
    .describe("production has no demo accounts, no tokens on demand and no /debug/traces"),
  MARQUEE_TENANT: z.string().default("demo").describe("the tenant of requests whose host name names none"),
  MARQUEE_MARKET: z
    .string()
    .regex(/^([A-Z]{2})?$/)
    .default("")
    .describe("the country (ISO 3166-1) of viewers whose address has none"),
  MARQUEE_GEOIP: z
    .string()
    .optional()
    .describe("a country database in the MaxMind DB format, by path: viewers are where their address is"),
  MARQUEE_TLS_CERT: z.string().optional().describe("PEM certificate chain, by path"),
  MARQUEE_TLS_KEY: z.string().optional().describe("PEM private key, by path"),
  MARQUEE_CLEARKEY: flag.optional().describe("1 allows the ClearKey licence server in production"),
  MARQUEE_PEERS: understoodBy(parsePeers)
    .optional()
    .describe("where services are that `marquee serve` does not run itself: session=https://10.0.0.3:7001,*=https://…"),
  MARQUEE_PEER_TEMPLATE: understoodBy(parseTemplate)
    .optional()
    .describe("the address of every other service, made of its name: https://{service}:7000"),
  MARQUEE_RPC_PORT: port
    .optional()
    .describe("where `marquee serve` answers other processes; default: MARQUEE_PORT + 5"),
  MARQUEE_RPC_HOST: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("the address it answers them on; default: all, on loopback that alone"),
  MARQUEE_ADMIN_HOST: z
    .string()
    .min(1)
    .max(253)
    .default("127.0.0.1")
    .describe("the address that health and metrics answer on; they have no sign-in"),
  MARQUEE_PUBLIC_URL: understoodBy(parseOrigin)
    .optional()
    .describe("where browsers reach pages and API, when something stands in front: https://cinema.example.test"),
  MARQUEE_ORIGIN_URL: understoodBy(parseOrigin)
    .optional()
    .describe("where edges reach the origin, when it runs in another process"),
  MARQUEE_EDGES: understoodBy(parseEdges)
    .optional()
    .describe("the delivery networks: edge-a=https://a.example.test,edge-b=https://b.example.test"),
  MARQUEE_POSTGRES_URL: z.string().optional().describe("PostgreSQL by URL instead of the embedded one"),
  MARQUEE_POSTGRES_RUNTIME_URL: z
    .string()
    .optional()
    .describe("the login that services use, when it is not the owner's"),
  MARQUEE_KAFKA_BROKERS: brokers
    .optional()
    .describe(
      "Apache Kafka as the event log, by some of its brokers (host:port,host:port); without it events go to SQLite",
    ),
  MARQUEE_KAFKA_ANALYTICS_BROKERS: brokers
    .optional()
    .describe("a second cluster, for the topics that only analytics reads"),
  MARQUEE_KAFKA_REPLICATION: z.coerce
    .number()
    .int()
    .min(1)
    .max(7)
    .optional()
    .describe("brokers that keep each record of a new topic; default: three, or all where there are fewer"),
  MARQUEE_SCHEMA_REGISTRY_URL: z
    .url()
    .optional()
    .describe("a Confluent-compatible schema registry; without it schemas go to SQLite"),
  MARQUEE_REDIS_URL: address(["redis:", "rediss:"], "redis://user:password@127.0.0.1:6379/0")
    .optional()
    .describe("redis:// or, over TLS, rediss://, alone or a node of a cluster; without it the cache is in memory"),
  MARQUEE_S3_BUCKET: word(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "marquee-media")
    .optional()
    .describe("objects in this bucket instead of files; credentials are the usual ones of AWS"),
  MARQUEE_S3_ENDPOINT: address(["http:", "https:"], "https://s3.example.org")
    .optional()
    .describe("a store that speaks S3, addressed by path; without it Amazon's"),
  MARQUEE_S3_REGION: word(/^[a-z0-9-]{1,40}$/, "eu-central-1")
    .default("us-east-1")
    .describe("the bucket's region"),
  MARQUEE_CLICKHOUSE_URL: address(["http:", "https:"], "https://clickhouse.example.org:8443/marquee")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "user and password have variables of their own")
    .optional()
    .describe("ClickHouse for analytics, its database as the path; without it ClickHouse runs as a library of ours"),
  MARQUEE_CLICKHOUSE_USER: word(/^[^\s:]{1,80}$/, "marquee")
    .default("default")
    .describe("its user, who may create tables there"),
  MARQUEE_CLICKHOUSE_PASSWORD: z.string().default("").describe("secret: that user's password"),
  MARQUEE_VAULT_ADDR: address(["http:", "https:"], "https://vault.example.org:8200")
    .optional()
    .describe("secrets in Vault or OpenBao instead of files"),
  MARQUEE_VAULT_TOKEN: z.string().optional().describe("secret: our token; it is renewed while it may be"),
  MARQUEE_VAULT_TOKEN_FILE: z
    .string()
    .optional()
    .describe("the same by path, where an agent keeps a fresh one; it wins over the token"),
  MARQUEE_VAULT_MOUNT: word(/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/, "secret")
    .default("secret")
    .describe("where the KV engine, version 2, is mounted; ours is the folder marquee in it"),
  MARQUEE_VAULT_NAMESPACE: word(/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*\/?$/, "team/cinema")
    .optional()
    .describe("Vault's namespace, where it has some"),
  MARQUEE_SEARCH_URL: address(["http:", "https:"], "https://search.example.org:9200")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "user and password have variables of their own")
    .optional()
    .describe("OpenSearch or Elasticsearch for what is found by text; without it PostgreSQL does that"),
  MARQUEE_SEARCH_USER: word(/^[^\s:]{1,80}$/, "marquee")
    .optional()
    .describe("its user, who may make indexes that begin with marquee-"),
  MARQUEE_SEARCH_PASSWORD: z.string().default("").describe("secret: that user's password"),
  MARQUEE_LLM_URL: address(["http:", "https:"], "https://llm.example.org/v1")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "the key has a variable of its own")
    .optional()
    .describe("a language model that takes questions to the search apart, by OpenAI's API; without it rules do that"),
  MARQUEE_LLM_MODEL: word(/^[\w.:/@-]{1,120}$/, "llama-3.2-3b-instruct")
    .optional()
    .describe("which of its models"),
  MARQUEE_LLM_TOKEN: z.string().default("").describe("secret: its key"),
  MARQUEE_ENRICH: flag
    .default(true)
    .describe(
      "0 waits until somebody asks for what is found in titles (./marquee enrich); 1 looks when they are encoded",
    ),
  MARQUEE_ASR_URL: address(["http:", "https:"], "https://speech.example.org/v1")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "the key has a variable of its own")
    .optional()
    .describe(
      "a server that transcribes, by OpenAI's API; without it Whisper does that here, once its weights were pulled",
    ),
  MARQUEE_ASR_MODEL: word(/^[\w.:/@-]{1,120}$/, "whisper-1")
    .default("whisper-1")
    .describe("which of its models"),
  MARQUEE_ASR_TOKEN: z.string().default("").describe("secret: its key"),
  MARQUEE_MODERATION_URL: address(["http:", "https:"], "https://moderation.example.org/v1")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "the key has a variable of its own")
    .optional()
    .describe(
      "a server that judges frames and subtitles for violence, by OpenAI's moderation API; without it nobody looks for that",
    ),
  MARQUEE_MODERATION_MODEL: word(/^[\w.:/@-]{1,120}$/, "omni-moderation-latest")
    .default("omni-moderation-latest")
    .describe("which of its models; it has to look at pictures"),
  MARQUEE_MODERATION_TOKEN: z.string().default("").describe("secret: its key"),
  MARQUEE_UNLEASH_URL: address(["http:", "https:"], "https://unleash.example.org/api")
    .optional()
    .describe("feature flags of an Unleash, by the address of its API; without it they are kept in PostgreSQL"),
  MARQUEE_UNLEASH_TOKEN: z
    .string()
    .default("")
    .describe("secret: a client token of Unleash, which says what environment is meant"),
  MARQUEE_MODELS_URL: address(["http:", "https:"], "https://models.example.org")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "a model server that wants a password belongs behind a fence")
    .optional()
    .describe(
      "a server of the Open Inference Protocol V2, such as KServe or Triton; without it models run in this process",
    ),
  MARQUEE_MLFLOW_URL: address(["http:", "https:"], "https://mlflow.example.org")
    .refine((value) => !/^https?:\/\/[^/]*@/.test(value), "the token has a variable of its own")
    .optional()
    .describe("an MLflow that is told of every training and of where its version stands; without it none is"),
  MARQUEE_MLFLOW_TOKEN: z.string().default("").describe("secret: its token"),
  MARQUEE_MODEL_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(5_000)
    .default(120)
    .describe("how long a model may take for an answer; after that a rule answers in its place"),
  MARQUEE_ROUTING_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(5_000)
    .default(20)
    .describe("how long the choice of a delivery network waits for its model; after that a rule chooses"),
  MARQUEE_ORDER_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(5_000)
    .default(60)
    .describe("how long homes and searches wait for the model that orders them; after that their own order stays"),
  MARQUEE_SMTP_URL: z.string().optional().describe("smtp://user:password@host:port; without it mail goes to files"),
  MARQUEE_MAIL_FROM: z.string().default("Marquee <no-reply@marquee.test>").describe("the sender of mail"),
  MARQUEE_PUSH_HOSTS: word(
    /^\.?[a-z0-9.-]+(:\d{1,5})?(,\.?[a-z0-9.-]+(:\d{1,5})?){0,19}$/,
    "push.example.org,.push.example.net",
  )
    .optional()
    .describe("push services beside those of the browsers that there are; a dot takes in what is below a name"),
  MARQUEE_GOOGLE_CLIENT_ID: z.string().optional().describe("with the secret: sign-in with Google"),
  MARQUEE_GOOGLE_CLIENT_SECRET: z.string().optional().describe("secret"),
  MARQUEE_GOOGLE_ISSUER: z
    .url()
    .default("https://accounts.google.com")
    .describe("another OpenID provider in its place, for tests"),
  MARQUEE_APPLE_CLIENT_ID: z.string().optional().describe("with the secret: sign-in with Apple"),
  MARQUEE_APPLE_CLIENT_SECRET: z.string().optional().describe("secret"),
  MARQUEE_APPLE_ISSUER: z
    .url()
    .default("https://appleid.apple.com")
    .describe("another OpenID provider in its place, for tests"),
  MARQUEE_WIDEVINE_URL: z.url().optional().describe("the vendor's licence server that /license/widevine proxies to"),
  MARQUEE_PLAYREADY_URL: z.url().optional().describe("the same for /license/playready"),
  MARQUEE_FAIRPLAY_URL: z.url().optional().describe("the same for /license/fairplay"),
  MARQUEE_FAIRPLAY_CERTIFICATE: z.string().optional().describe("the FairPlay application certificate, by path"),
  MARQUEE_DRM_REGISTRATION_URL: z
    .url()
    .optional()
    .describe("DRM back end that new content keys are registered with, as CPIX"),
  MARQUEE_AD_TIERS: word(/^[a-z]{1,20}(,[a-z]{1,20})*$/, "basic")
    .default("basic")
    .describe("the plans that have ads, where campaigns and breaks were made"),
  MARQUEE_AD_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(5_000)
    .default(250)
    .describe("how long a start of playback waits for ads, at most; after that it has none"),
  MARQUEE_AD_PRIVATE_HOSTS: word(/^[a-z0-9.-]{1,253}(,[a-z0-9.-]{1,253}){0,19}$/, "ads.example.org")
    .optional()
    .describe("ad servers and trackers that may be in private networks, which no others may"),
  MARQUEE_ENCODE_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("ffmpeg processes at once; default: one a core"),
  MARQUEE_ENCODING_LADDER: z
    .enum(["per-title", "fixed"])
    .default("fixed")
    .describe("whether films of the full preset are measured for a ladder of their own, or all have the fixed one"),
  MARQUEE_ENCODING_MEASURE_MS_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(14_400_000)
    .default(1_200_000)
    .describe("how long a film may be measured for its ladder, in milliseconds; after that it gets the fixed one"),
  MARQUEE_RATE_VIEWER: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(50)
    .describe(
      "requests a second that one account may make for ever, three times as many at once; an address four times",
    ),
  MARQUEE_RATE_TENANT: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("requests a second that all of one tenant may make in each process; default: no limit"),
  MARQUEE_LIVE_KEY_PERIOD_MS: z.coerce
    .number()
    .int()
    .min(4_000)
    .max(7 * 86_400_000)
    .refine((value) => value % 2_000 === 0, "a key changes between two segments: write whole seconds, an even number")
    .default(86_400_000)
    .describe("how long a content key of a live channel is in use, in milliseconds"),
  MARQUEE_LIVE_DVR_BYTES: z.coerce
    .number()
    .int()
    .min(64 * 1024 * 1024)
    .default(6 * 1024 * 1024 * 1024)
    .describe("what a channel keeps on the disk at most, apart from what recordings hold"),
  MARQUEE_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .describe("what is logged: debug, info, warn or error, and what is worse"),
  MARQUEE_LOG_FILE: z
    .string()
    .optional()
    .describe("where the JSON log goes; default: logs/marquee.log in the data folder, in production standard output"),
  MARQUEE_AUDIT_FILE: z
    .string()
    .optional()
    .describe("where the audit log goes; default: logs/audit.log in the data folder"),
  MARQUEE_TRACE_RATIO: z.coerce
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      "the share of ordinary traces that is kept, 0 to 1; default: 1, in production 0.1; those with errors always are",
    ),
  MARQUEE_TRACE_USERS: word(PSEUDONYMS, "usr~0123456789abcdef,usr~fedcba9876543210")
    .optional()
    .describe("people whose traces are all kept, by the pseudonyms that `marquee pseudonym` prints"),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional().describe("where traces go; without it the last ones stay in memory"),
  OTEL_SERVICE_NAME: z.string().min(1).max(100).default("marquee").describe("what this process is called in traces"),
  FFMPEG_PATH: z.string().optional().describe("ffmpeg, where it is not on PATH"),
  FFPROBE_PATH: z.string().optional().describe("ffprobe, where it is not on PATH"),
});

export type Config = z.infer<typeof Config>;

/** Reads the environment; `invalid_argument` names each variable that is wrong and what it should be. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const known = Object.fromEntries(Object.keys(Config.shape).flatMap((key) => (env[key] ? [[key, env[key]]] : [])));
  const result = Config.safeParse(known);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    (issue) => `${issue.path.join(".")}='${withoutPassword(known[String(issue.path[0])] ?? "")}': ${issue.message}`,
  );
  throw problem.invalid(`the environment is wrong: ${faults.join("; ")}`);
}

/** An address may be wrong and hold a password all the same. */
const withoutPassword = (value: string): string => value.replaceAll(/(^|\s|\/\/)\S*@/g, "$1<secret>@");

/** Whether a host means this machine only, where browsers grant a secure context without TLS. */
export const isLoopback = (host: string): boolean => host === "localhost" || host === "127.0.0.1" || host === "::1";
