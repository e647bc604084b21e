import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ATTRIBUTES } from "#adapters/flags/attributes";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { ensureProgram, runProgram } from "./programs.ts";
import { engineSecret } from "./secret.ts";

/** The release that ARCH-001 names. It is Apache-2.0, which later ones are not. */
const VERSION = "5.12.8";
const SERVER = fileURLToPath(new URL("unleash-server.ts", import.meta.url));
const Health = z.object({ health: z.literal("GOOD") });

const Fields = z.array(z.object({ name: z.string() }));

const folderOf = ({ programs }: EnginePlace): string => join(programs, `unleash-${VERSION}`);
const urlOf = ({ port }: EnginePlace): string => `http://127.0.0.1:${port}`;
const clientToken = ({ data }: EnginePlace): string => `*:development.${engineSecret(data)}`;
const adminToken = ({ data }: EnginePlace): string => `*:*.${engineSecret(data)}`;

/** Constraints can be about attributes alone that an Unleash knows: ours are made known to it, as an operator does it. */
async function addContextFields(at: EnginePlace): Promise<void> {
  const ask = (method: string, body?: unknown): Promise<Response> =>
    fetch(`${urlOf(at)}/api/admin/context`, {
      method,
      headers: { authorization: adminToken(at), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const known = Fields.parse(await (await ask("GET")).json()).map(({ name }) => name);
  for (const name of [...ATTRIBUTES].filter((each) => !known.includes(each))) {
    const response = await ask("POST", { name, description: "", stickiness: true });
    await response.body?.cancel();
    if (!response.ok) throw problem.unavailable(`Unleash answers ${response.status} to the context field '${name}'`);
  }
}

/** Unleash from npm, in a folder of its own: it is a program for tests and trials, and no part of the product. */
export const unleash: Engine = {
  name: "unleash",
  what: `feature flags: Unleash ${VERSION} (kernel/ports/flags.ts)`,
  licence: "Apache-2.0",
  async install(at) {
    const folder = folderOf(at);
    const isHere = await access(join(folder, "package.json")).then(
      () => true,
      () => false,
    );
    if (isHere) return;
    const npm = await ensureProgram("npm", "npm", at.say);
    const draft = `${folder}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await writeFile(
      join(draft, "package.json"),
      JSON.stringify({ private: true, dependencies: { "unleash-server": VERSION } }),
    );
    at.say(`fetching Unleash ${VERSION} by npm (250 MB), once`);
    await runProgram(npm, ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: draft,
    });
    await rename(draft, folder);
  },
  async command(at) {
    return {
      program: process.execPath,
      args: [SERVER],
      env: {
        NODE_ENV: "production",
        LOG_LEVEL: "warn",
        SEND_TELEMETRY: "false",
        CHECK_VERSION: "false",
        MARQUEE_UNLEASH_PROGRAMS: folderOf(at),
        MARQUEE_UNLEASH_DATA: at.data,
        MARQUEE_UNLEASH_PORT: String(at.port),
        INIT_CLIENT_API_TOKENS: clientToken(at),
        INIT_ADMIN_API_TOKENS: adminToken(at),
      },
    };
  },
  async health(at) {
    const response = await fetch(`${urlOf(at)}/health`);
    if (!response.ok) throw problem.unavailable(`Unleash answers ${response.status}`);
    Health.parse(await response.json());
    await addContextFields(at);
    return `Unleash ${VERSION}`;
  },
  environment: (at) => ({
    MARQUEE_UNLEASH_URL: `${urlOf(at)}/api`,
    MARQUEE_UNLEASH_TOKEN: clientToken(at),
    // For those who change flags, as its pages do; the product does not need it.
    UNLEASH_ADMIN_TOKEN: adminToken(at),
  }),
};
