import { z } from "zod";
import { problem } from "#kernel/errors";
import type { Secrets } from "#kernel/ports/secrets";
import { assertName, assertNamesMax, assertPrefix, assertValue, wrongVersion } from "./checks.ts";
import { openVaultClient, type VaultAnswer, type VaultClientOptions } from "./vault-client.ts";

export interface VaultOptions extends VaultClientOptions {
  /** Where the KV engine (version 2) is mounted. */
  readonly mount: string;
  /** The folder in it that is ours. */
  readonly folder: string;
}

/** Deleted names stay in Vault's lists, because their versions go on; so many are looked at in one call. */
const LOOKED_AT_MAX = 50_000;
const AT_ONCE = 16;

const Read = z.object({
  data: z.object({ data: z.record(z.string(), z.unknown()), metadata: z.object({ version: z.number().int() }) }),
});
const Written = z.object({ data: z.object({ version: z.number().int() }) });
const Listed = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const Metadata = z.object({
  data: z.object({
    current_version: z.number().int(),
    versions: z.record(z.string(), z.object({ deletion_time: z.string(), destroyed: z.boolean() })),
  }),
});
const Mount = z.object({
  data: z.object({ type: z.string(), options: z.object({ version: z.string() }).partial().nullish() }),
});

/** What Vault knows of a name: the last version, and whether it is there. */
interface Standing {
  readonly last: number;
  readonly isThere: boolean;
  /** The versions whose values still exist. */
  readonly kept: readonly number[];
}

/**
 * Secrets in Vault or OpenBao, in a KV engine of version 2. A deletion destroys every version's value and keeps the
 * count of versions, which the port demands to grow for ever.
 */
export async function openVaultSecrets(options: VaultOptions): Promise<Secrets> {
  const { mount, folder } = options;
  const vault = await openVaultClient(options);
  const at = `Vault at ${vault.host}`;
  const path = (kind: "data" | "metadata" | "destroy", name: string): string =>
    `${mount}/${kind}/${folder}/${name.split("/").map(encodeURIComponent).join("/")}`;

  /** 404 means that there is no such name, but also that there is no such engine. */
  function found(answer: VaultAnswer): boolean {
    if (answer.status === 404 && answer.errors.length > 0) throw noEngine();
    return answer.status !== 404;
  }
  function noEngine(): Error {
    return problem.precondition(
      `${at} has no KV engine of version 2 at '${mount}': type  vault secrets enable -path=${mount} -version=2 kv  or correct MARQUEE_VAULT_MOUNT`,
    );
  }
  function shaped<T>(schema: z.ZodType<T>, { status, body }: VaultAnswer, name: string): T {
    const result = schema.safeParse(body);
    // The parser's message may quote the secret.
    if (!result.success) throw problem.internal(`${at} answered ${status} for '${name}' in a form that we do not know`);
    return result.data;
  }

  async function standing(name: string): Promise<Standing> {
    const answer = await vault.ask("GET", path("metadata", name));
    if (!found(answer)) return { last: 0, isThere: false, kept: [] };
    const { current_version: last, versions } = shaped(Metadata, answer, name).data;
    const current = versions[String(last)];
    return {
      last,
      isThere: current !== undefined && !current.destroyed && current.deletion_time === "",
      kept: Object.entries(versions).flatMap(([version, { destroyed }]) => (destroyed ? [] : [Number(version)])),
    };
  }

  /** Names with a prefix, in order. An entry that ends with a slash sorts as the names below it do. */
  async function* walk(below: string, prefix: string, budget: { left: number }): AsyncGenerator<string> {
    const answer = await vault.ask("GET", `${path("metadata", below)}?list=true`);
    if (!found(answer)) return;
    const entries = shaped(Listed, answer, below).data.keys.map((key) => below + key);
    for (const entry of entries.toSorted()) {
      budget.left -= 1;
      if (budget.left < 0) {
        throw problem.exhausted(
          `there are more than ${LOOKED_AT_MAX} names below '${prefix}', deleted ones included: remove the metadata of those that nobody needs`,
        );
      }
      if (!entry.endsWith("/")) {
        if (entry.startsWith(prefix)) yield entry;
      } else if (entry.startsWith(prefix) || prefix.startsWith(entry)) yield* walk(entry, prefix, budget);
    }
  }

  async function checkMount(): Promise<void> {
    const answer = await vault.ask("GET", `sys/internal/ui/mounts/${mount}`);
    const info = Mount.safeParse(answer.body);
    if (!info.success || info.data.data.type !== "kv" || info.data.data.options?.version !== "2") throw noEngine();
  }
  try {
    await checkMount();
  } catch (error) {
    vault.close();
    throw error;
  }

  return {
    async get(name) {
      assertName(name);
      const answer = await vault.ask("GET", path("data", name));
      if (!found(answer)) return undefined;
      const { data, metadata } = shaped(Read, answer, name).data;
      return { version: metadata.version, value: data };
    },
    async put(name, value, put) {
      assertName(name);
      assertValue(name, value);
      const expected = put?.expectedVersion;
      let cas: number | undefined;
      if (expected !== undefined) {
        const { last, isThere } = await standing(name);
        const current = isThere ? last : 0;
        if (expected !== current) throw wrongVersion(name, current, expected);
        // A deleted name's next version follows its last one.
        cas = last;
      }
      const answer = await vault.ask("POST", path("data", name), {
        data: value,
        ...(cas === undefined ? {} : { options: { cas } }),
      });
      if (answer.errors.some((error) => /check-and-set parameter did not match/.test(error)))
        throw problem.aborted(`somebody else wrote the secret '${name}' at the same moment: read it again`);
      if (!found(answer) || answer.status === 400)
        throw problem.precondition(
          `${at} did not take the secret '${name}' (${answer.status}): is '${mount}' a KV engine of version 2 without cas_required?`,
        );
      return shaped(Written, answer, name).data.version;
    },
    async delete(name) {
      assertName(name);
      const { kept } = await standing(name);
      if (kept.length === 0) return;
      const answer = await vault.ask("POST", path("destroy", name), { versions: kept });
      if (answer.status >= 400)
        throw problem.internal(`${at} did not delete the secret '${name}' (${answer.status}): try again`);
    },
    async list(prefix, namesMax) {
      assertPrefix(prefix);
      assertNamesMax(namesMax);
      const names: string[] = [];
      let batch: string[] = [];
      const take = async (): Promise<void> => {
        const standings = await Promise.all(batch.map(standing));
        names.push(...batch.filter((_, index) => standings[index]?.isThere === true));
        batch = [];
      };
      const top = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for await (const name of walk(top, prefix, { left: LOOKED_AT_MAX })) {
        batch.push(name);
        if (batch.length >= AT_ONCE) await take();
        if (names.length >= namesMax) break;
      }
      await take();
      return names.slice(0, namesMax);
    },
    async state() {
      try {
        await checkMount();
        const ttlS = await vault.tokenTtlS();
        const life = ttlS > 0 ? `, our token lives for ${Math.round(ttlS / 60)} more minutes` : "";
        return { ok: true, detail: `${at}, ${mount}/${folder}${life}` };
      } catch (error) {
        return { ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    },
    async close() {
      vault.close();
    },
  };
}
