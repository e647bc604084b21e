import { join } from "node:path";
import type { Config } from "#kernel/config";
import type { Cache } from "#kernel/ports/cache";
import type { Objects } from "#kernel/ports/objects";
import type { Secrets } from "#kernel/ports/secrets";

// Which engine stands behind a port is decided here by the configuration, a function for each port. Adapters are loaded when
// they are chosen, because their clients take their time to load.

/** In Redis where it is named, else in this process. */
export async function openCache({ MARQUEE_REDIS_URL: url }: Config): Promise<Cache> {
  if (url === undefined) return (await import("#adapters/cache/embedded")).openEmbeddedCache();
  return (await import("#adapters/cache/redis")).openRedisCache({ url });
}

/** In a bucket where one is named, else as files below the data folder. */
export async function openObjects(config: Config, folder: string): Promise<Objects> {
  const { MARQUEE_S3_BUCKET: bucket, MARQUEE_S3_ENDPOINT: endpoint, MARQUEE_S3_REGION: region } = config;
  if (bucket === undefined)
    return (await import("#adapters/objects/files")).openFileObjects({ folder: join(folder, "objects") });
  return (await import("#adapters/objects/s3")).openS3Objects({
    bucket,
    region,
    scratchFolder: join(folder, "lent"),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

/** In Vault where its address is named, else as files below the data folder. */
export async function openSecrets(config: Config, folder: string): Promise<Secrets> {
  const {
    MARQUEE_VAULT_ADDR: address,
    MARQUEE_VAULT_TOKEN: token,
    MARQUEE_VAULT_TOKEN_FILE: tokenFile,
    MARQUEE_VAULT_MOUNT: mount,
    MARQUEE_VAULT_NAMESPACE: namespace,
  } = config;
  if (address === undefined)
    return (await import("#adapters/secrets/file")).openFileSecrets({ folder: join(folder, "secrets") });
  return (await import("#adapters/secrets/vault")).openVaultSecrets({
    address,
    mount,
    folder: "marquee",
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(namespace === undefined ? {} : { namespace }),
  });
}
