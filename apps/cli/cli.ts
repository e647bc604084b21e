import { resolve } from "node:path";
import { type Config, readConfig } from "#kernel/config";
import { adminSocketPath } from "../admin/socket.ts";
import { type AdminClient, adminClient } from "./client.ts";
import { dataFolderOf } from "./environment.ts";
import type { Terminal } from "./terminal.ts";

/** What a command has to work with. The configuration is read when it is first asked for, so that help needs none. */
export interface Cli {
  readonly terminal: Terminal;
  /** Where the program lies. */
  readonly root: string;
  readonly config: Config;
  readonly dataFolder: string;
  readonly client: AdminClient;
  /** A path as the person means it: from where they stand. */
  path(text: string): string;
}

/** What a command ends with: 0 when all went well, 1 when something failed, 2 when Marquee is not running. */
export type ExitCode = number;

export function openCli(terminal: Terminal, root: string, env: Readonly<Record<string, string | undefined>>): Cli {
  let config: Config | undefined;
  const cli: Cli = {
    terminal,
    root,
    get config() {
      config ??= readConfig(env);
      return config;
    },
    get dataFolder() {
      return dataFolderOf(cli.config);
    },
    get client() {
      const { dataFolder } = cli;
      return adminClient({ socketPath: adminSocketPath(dataFolder), tenant: cli.config.MARQUEE_TENANT, dataFolder });
    },
    path: (text) => resolve(text),
  };
  return cli;
}
